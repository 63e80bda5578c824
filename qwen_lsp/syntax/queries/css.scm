(rule_set (selectors . (_) @name) (block) @body) @definition.rule
(keyframes_statement (keyframes_name) @name (_) @body) @definition.rule
(media_statement . (_) @name (block) @body) @definition.rule

(class_name (identifier) @reference)
(id_name) @reference

(import_statement [(string_value (string_content) @module)
                   (call_expression (arguments (string_value (string_content) @module)))]) @import
