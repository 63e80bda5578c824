; inherits: ecma.scm
(class_declaration name: (type_identifier) @name body: (_) @body) @definition.class
(abstract_class_declaration name: (type_identifier) @name body: (_) @body) @definition.class
(class name: (type_identifier) @name body: (_) @body) @definition.class
(interface_declaration name: (type_identifier) @name body: (_) @body) @definition.interface
(type_alias_declaration name: (type_identifier) @name value: (_) @body) @definition.type
(enum_declaration name: (identifier) @name body: (_) @body) @definition.enum
(enum_body [(property_identifier) @name @definition.member (enum_assignment name: (property_identifier) @name) @definition.member])
(module name: [(identifier) @name (string (string_fragment) @name)] body: (_)? @body) @definition.module
(internal_module name: (_) @name body: (_)? @body) @definition.module
(ambient_declaration) @outer
(function_signature name: (identifier) @name) @definition.function
(method_signature name: (property_identifier) @name) @definition.method
(abstract_method_signature name: (property_identifier) @name) @definition.method
(interface_body (property_signature name: (property_identifier) @name) @definition.field)
(public_field_definition name: [(property_identifier) (private_property_identifier)] @name
  value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)]?) @definition.field
(required_parameter (accessibility_modifier) pattern: (identifier) @name) @definition.field

(type_identifier) @type
(extends_clause value: (identifier) @reference)
