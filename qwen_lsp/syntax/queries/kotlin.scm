(class_declaration [(class_body) (enum_class_body)]? @body) @definition.class
(class_declaration "interface") @definition.interface
(class_declaration (enum_class_body)) @definition.enum
(object_declaration (class_body)? @body) @definition.class
(companion_object (class_body)? @body) @definition.class
(enum_entry (identifier) @name) @definition.member
(function_declaration (function_body)? @body) @definition.function
(secondary_constructor "constructor" @name) @definition.constructor
(source_file (property_declaration (variable_declaration (identifier) @name)) @definition.property)
(class_body (property_declaration (variable_declaration (identifier) @name)) @definition.property)
(class_parameter ["val" "var"] (identifier) @name) @definition.property
(type_alias type: (identifier) @name) @definition.type

(call_expression . (identifier) @reference)
(navigation_expression . (identifier) @qualifier)
(navigation_expression (_) (identifier) @reference .)
(user_type (identifier) @reference)
(callable_reference (identifier) @reference .)
(infix_expression (_) . (identifier) @reference . (_))

(import (qualified_identifier) @module) @import
(import (qualified_identifier (identifier) @imported .)) @import
