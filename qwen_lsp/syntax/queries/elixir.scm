(call target: (identifier) @is.defmodule.defprotocol.defimpl (arguments . (alias) @name) (do_block) @body) @definition.module
(call target: (identifier) @is.def.defp.defmacro.defmacrop.defguard.defdelegate (arguments . [
    (identifier) @name
    (call target: (identifier) @name)
    (binary_operator left: [(identifier) @name (call target: (identifier) @name)])]) (do_block)? @body) @definition.function

(call target: [(identifier) @type (dot right: (identifier) @type)])
(alias) @type

; Whatever has a block of its own is no import, and would hide those inside it.
(call target: (identifier) @by.alias.import.use.require (arguments . (alias) @module) .) @import
