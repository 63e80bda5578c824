(variable_declaration . (identifier) @name [(struct_declaration) (union_declaration) (opaque_declaration)] @body) @definition.struct
(variable_declaration . (identifier) @name (enum_declaration) @body) @definition.enum
(source_file (variable_declaration . (identifier) @name) @definition.variable)
(function_declaration) @definition.function
(test_declaration (string (string_content) @name) (block) @body) @definition.function
(container_field name: (identifier)) @definition.field

(call_expression function: (identifier) @reference)
(field_expression member: (identifier) @reference)
(field_expression object: (identifier) @qualifier)
(struct_initializer . (identifier) @reference)
(pointer_type (identifier) @reference)
(array_type (identifier) @reference)
(parameter type: (identifier) @reference)
(function_declaration type: (identifier) @reference)
(container_field type: (identifier) @reference)

(builtin_function (builtin_identifier) @by.import (arguments (string (string_content) @module))) @import
