(class_declaration) @definition.class
(interface_declaration) @definition.interface
(trait_declaration) @definition.trait
(enum_declaration) @definition.enum
(enum_case) @definition.member
(method_declaration) @definition.method
(function_definition) @definition.function
(namespace_definition) @definition.module
(const_declaration (const_element . (name) @name)) @definition.constant
(property_declaration (property_element name: (variable_name (name) @name))) @definition.field
(property_promotion_parameter name: (variable_name (name) @name)) @definition.field

(function_call_expression function: (name) @reference)
(member_call_expression name: (name) @reference)
(nullsafe_member_call_expression name: (name) @reference)
(scoped_call_expression scope: (name) @reference)
(scoped_call_expression name: (name) @reference)
(object_creation_expression (name) @reference)
(member_access_expression name: (name) @reference)
(class_constant_access_expression (name) @reference)
(scoped_property_access_expression scope: (name) @reference)
(named_type (name) @reference)
(qualified_name (name) @reference)
(base_clause (name) @reference)
(class_interface_clause (name) @reference)
(use_declaration (name) @reference)
(attribute (name) @reference)
(argument (name) @reference)

(namespace_use_declaration (namespace_use_clause (qualified_name prefix: (_) @module (name) @imported))) @import
(namespace_use_declaration (namespace_use_clause . (name) @module) !body) @import
(namespace_use_declaration (namespace_name) @module body: (namespace_use_group (namespace_use_clause . (name) @imported))) @import
(require_once_expression [(string (string_content) @module) (binary_expression right: (string (string_content) @module))]) @import
(require_expression [(string (string_content) @module) (binary_expression right: (string (string_content) @module))]) @import
(include_once_expression [(string (string_content) @module) (binary_expression right: (string (string_content) @module))]) @import
(include_expression [(string (string_content) @module) (binary_expression right: (string (string_content) @module))]) @import
