(create_table (object_reference name: (identifier) @name) (column_definitions)? @body) @definition.table
(create_view (object_reference name: (identifier) @name) (create_query)? @body) @definition.table
(create_materialized_view (object_reference name: (identifier) @name) (create_query)? @body) @definition.table
(create_function (object_reference name: (identifier) @name) (function_body)? @body) @definition.function
(create_trigger . (keyword_create) (object_reference name: (identifier) @name)) @definition.function
(create_type (object_reference name: (identifier) @name)) @definition.type
(create_index column: (identifier) @name) @definition.key
(create_schema (identifier) @name) @definition.module
(create_sequence (object_reference name: (identifier) @name)) @definition.key
(column_definition name: (identifier)) @definition.field

(object_reference name: (identifier) @type)
(field name: (identifier) @reference)
