(class_declaration) @definition.class
(record_declaration) @definition.class
(interface_declaration) @definition.interface
(annotation_type_declaration) @definition.interface
(enum_declaration) @definition.enum
(enum_constant) @definition.member
(method_declaration) @definition.method
(annotation_type_element_declaration) @definition.method
(constructor_declaration) @definition.constructor
(compact_constructor_declaration) @definition.constructor
(field_declaration declarator: (variable_declarator name: (identifier) @name)) @definition.field
(constant_declaration declarator: (variable_declarator name: (identifier) @name)) @definition.field

(method_invocation name: (identifier) @reference)
(method_invocation object: (identifier) @qualifier)
(field_access field: (identifier) @reference)
(field_access object: (identifier) @qualifier)
(method_reference (identifier) @reference .)
(type_identifier) @type
(marker_annotation name: (identifier) @reference)
(annotation name: (identifier) @reference)

(import_declaration (scoped_identifier scope: (_) @module name: (identifier) @imported) .) @import
(import_declaration (scoped_identifier) @module (asterisk) @imported) @import
