(class_declaration) @definition.class
(class_declaration "struct") @definition.struct
(class_declaration "enum") @definition.enum
(class_declaration "extension") @definition.impl
(protocol_declaration) @definition.interface
(function_declaration) @definition.function
(protocol_function_declaration) @definition.method
(init_declaration "init" @name) @definition.constructor
(subscript_declaration "subscript" @name) @definition.method
(enum_entry name: (simple_identifier) @name) @definition.member
(typealias_declaration) @definition.type
(associatedtype_declaration) @definition.type
(source_file (property_declaration name: (pattern bound_identifier: (simple_identifier) @name)) @definition.property)
(class_body (property_declaration name: (pattern bound_identifier: (simple_identifier) @name)
  computed_value: (_)? @body) @definition.property)
(enum_class_body (property_declaration name: (pattern bound_identifier: (simple_identifier) @name)
  computed_value: (_)? @body) @definition.property)
(protocol_property_declaration name: (pattern bound_identifier: (simple_identifier) @name)) @definition.property

(call_expression . (simple_identifier) @reference)
(navigation_suffix suffix: (simple_identifier) @reference)
(navigation_expression target: (simple_identifier) @qualifier)
(type_identifier) @type

(import_declaration (identifier) @module) @import
