(class_declaration) @definition.class
(record_declaration) @definition.class
(struct_declaration) @definition.struct
(interface_declaration) @definition.interface
(enum_declaration) @definition.enum
(enum_member_declaration) @definition.member
(delegate_declaration) @definition.type
(namespace_declaration) @definition.module
(file_scoped_namespace_declaration) @definition.module
(method_declaration) @definition.method
(constructor_declaration) @definition.constructor
(local_function_statement) @definition.function
(property_declaration [accessors: (_) value: (arrow_expression_clause)] @body) @definition.property
(event_declaration) @definition.property
(field_declaration (variable_declaration (variable_declarator name: (identifier) @name))) @definition.field
(event_field_declaration (variable_declaration (variable_declarator name: (identifier) @name))) @definition.field

(invocation_expression function: (identifier) @reference)
(generic_name (identifier) @reference)
(member_access_expression name: (identifier) @reference)
(member_access_expression expression: (identifier) @qualifier)
(member_binding_expression name: (identifier) @reference)
(object_creation_expression type: (identifier) @reference)
(qualified_name name: (identifier) @reference)
(base_list (identifier) @reference)
(type_argument_list (identifier) @reference)
(parameter type: (identifier) @reference)
(variable_declaration type: (identifier) @reference)
(method_declaration returns: (identifier) @reference)
(property_declaration type: (identifier) @reference)
(nullable_type type: (identifier) @reference)
(array_type type: (identifier) @reference)
(cast_expression type: (identifier) @reference)
(typeof_expression type: (identifier) @reference)
(type_parameter_constraint type: (identifier) @reference)
(attribute name: (identifier) @reference)

(using_directive [(identifier) (qualified_name)] @module .) @import
