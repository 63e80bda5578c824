(table . (_) @name . (_)? @body) @definition.table
(table_array_element . (_) @name . (_)? @body) @definition.table
(document (pair . (_) @name (_) @body) @definition.key)
(table (pair . (_) @name (_) @body) @definition.key)
(table_array_element (pair . (_) @name (_) @body) @definition.key)
