((call target: (identifier) @_define (arguments . (alias) @name) (do_block) @body) @definition.module
  (#any-of? @_define "defmodule" "defprotocol" "defimpl"))
((call target: (identifier) @_define (arguments . [
    (identifier) @name
    (call target: (identifier) @name)
    (binary_operator left: [(identifier) @name (call target: (identifier) @name)])]) (do_block)? @body) @definition.function
  (#any-of? @_define "def" "defp" "defmacro" "defmacrop" "defguard" "defdelegate"))

(call target: [(identifier) @type (dot right: (identifier) @type)])
(alias) @type

((call target: (identifier) @_import (arguments . (alias) @module)) @import
  (#any-of? @_import "alias" "import" "use" "require"))
