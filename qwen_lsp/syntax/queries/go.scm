(function_declaration) @definition.function
(method_declaration) @definition.method
(type_declaration) @outer
(type_spec type: (struct_type (field_declaration_list) @body)) @definition.struct
(type_spec type: (interface_type "{" @body)) @definition.interface
(type_spec) @definition.type
(type_alias) @definition.type
(field_declaration name: (field_identifier) @name) @definition.field
(method_elem) @definition.method
(const_spec name: (identifier) @name) @definition.constant
(source_file (var_declaration (var_spec name: (identifier) @name) @definition.variable))
(source_file (var_declaration (var_spec_list (var_spec name: (identifier) @name) @definition.variable)))

(call_expression function: (identifier) @reference)
(selector_expression field: (field_identifier) @reference)
(type_identifier) @type
(keyed_element key: (literal_element (identifier) @reference))

(import_spec path: (_ (_) @module)) @import
