; inherits: ecma.scm
(class_declaration) @definition.class
(abstract_class_declaration) @definition.class
(class name: (type_identifier)) @definition.class
(interface_declaration) @definition.interface
(type_alias_declaration) @definition.type
(enum_declaration) @definition.enum
(enum_body (property_identifier) @name @definition.member)
(enum_assignment) @definition.member
(module) @definition.module
(internal_module) @definition.module
(ambient_declaration) @outer
(function_signature) @definition.function
(method_signature) @definition.method
(abstract_method_signature) @definition.method
(interface_body (property_signature) @definition.field)
(public_field_definition
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]?) @definition.field
(required_parameter [(accessibility_modifier) "readonly"] pattern: (identifier) @name) @definition.field

; Above a member a decorator is its neighbour, elsewhere it is its child.
(class_body (decorator) @attribute)

(type_identifier) @type
(extends_clause value: (identifier) @reference)

(import_statement (import_require_clause (identifier) @imported source: (string (string_fragment) @module))) @import
