(method) @definition.method
(singleton_method) @definition.method
(class name: [(constant) @name (scope_resolution name: (constant) @name)]) @definition.class
(module name: [(constant) @name (scope_resolution name: (constant) @name)]) @definition.module
(assignment left: (constant)) @definition.constant
(call !receiver method: (identifier) @is.attr_reader.attr_writer.attr_accessor
  arguments: (argument_list (simple_symbol) @name)) @definition.property

(call method: [(identifier) (constant)] @reference)
(constant) @type

(call !receiver method: (identifier) @by.require.require_relative.load
  arguments: (argument_list . (string (string_content) @module)) !block) @import
