(config_file (body (block (identifier) @name . (block_start) @body) @definition.element))
(config_file (body (block (string_lit (template_literal) @name) . (block_start) @body) @definition.element))
(config_file (body (block (body (attribute . (identifier) @name) @definition.key))))
(config_file (body (attribute . (identifier) @name) @definition.key))

(function_call . (identifier) @reference)
(get_attr (identifier) @reference)
(variable_expr (identifier) @reference)

(attribute . (identifier) @by.source (expression (literal_value (string_lit (template_literal) @module)))) @import
