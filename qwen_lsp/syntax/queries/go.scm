(function_declaration name: (identifier) @name body: (block)? @body) @definition.function
(method_declaration name: (field_identifier) @name body: (block)? @body) @definition.method
(type_declaration) @outer
(type_spec name: (type_identifier) @name type: (struct_type (field_declaration_list) @body)) @definition.struct
(type_spec name: (type_identifier) @name type: (interface_type "{" @body)) @definition.interface
(type_spec name: (type_identifier) @name
  type: [(type_identifier) (pointer_type) (function_type) (map_type) (slice_type) (array_type) (channel_type) (qualified_type) (generic_type)]) @definition.type
(type_alias name: (type_identifier) @name) @definition.type
(field_declaration name: (field_identifier) @name) @definition.field
(method_elem name: (field_identifier) @name) @definition.method
(const_spec name: (identifier) @name) @definition.constant
(source_file (var_declaration (var_spec name: (identifier) @name value: (_)? @body) @definition.variable))
(source_file (var_declaration (var_spec_list (var_spec name: (identifier) @name value: (_)? @body) @definition.variable)))

(call_expression function: (identifier) @reference)
(selector_expression field: (field_identifier) @reference)
(type_identifier) @type
(keyed_element key: (literal_element (identifier) @reference))

(import_spec path: [(interpreted_string_literal (interpreted_string_literal_content) @module)
                    (raw_string_literal (raw_string_literal_content) @module)]) @import
