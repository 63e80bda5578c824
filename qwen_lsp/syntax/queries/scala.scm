(class_definition) @definition.class
(object_definition) @definition.module
(trait_definition) @definition.trait
(enum_definition) @definition.enum
(simple_enum_case) @definition.member
(full_enum_case) @definition.member
(function_definition) @definition.function
(function_declaration) @definition.function
(type_definition) @definition.type
(given_definition) @definition.variable
(template_body (val_definition pattern: (identifier) @name) @definition.variable)
(template_body (var_definition pattern: (identifier) @name) @definition.variable)
(template_body (val_declaration (identifier) @name) @definition.variable)
(compilation_unit (val_definition pattern: (identifier) @name) @definition.variable)
(class_parameter ["val" "var"]) @definition.field

(call_expression function: (identifier) @reference)
(generic_function function: (identifier) @reference)
(field_expression field: (identifier) @reference)
(field_expression value: (identifier) @qualifier)
(infix_expression operator: (identifier) @reference)
(arguments (identifier) @qualifier)
(type_identifier) @type

(import_declaration (identifier) @module) @import
(import_declaration (namespace_selectors [(identifier) @imported (arrow_renamed_identifier name: (identifier) @imported)
                                          (as_renamed_identifier name: (identifier) @imported)])) @import
(import_declaration (namespace_wildcard) @imported) @import
