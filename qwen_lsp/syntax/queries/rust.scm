(function_item) @definition.function
(function_signature_item) @definition.function
(struct_item) @definition.struct
(union_item) @definition.struct
(enum_item) @definition.enum
(enum_variant) @definition.member
(field_declaration) @definition.field
(trait_item) @definition.trait
(impl_item type: [(type_identifier) @name (generic_type type: (type_identifier) @name)
                  (scoped_type_identifier name: (type_identifier) @name)
                  (generic_type type: (scoped_type_identifier name: (type_identifier) @name))
                  (reference_type type: (type_identifier) @name) (primitive_type) @name]) @definition.impl
(mod_item) @definition.module
(const_item) @definition.constant
(static_item) @definition.constant
(type_item) @definition.type
(associated_type) @definition.type
(macro_definition . name: (_) . (_) @body) @definition.macro
(attribute_item) @attribute

(call_expression function: [(identifier) @reference (scoped_identifier name: (identifier) @reference)])
(generic_function function: [(identifier) @reference (scoped_identifier name: (identifier) @reference)])
(scoped_identifier path: (identifier) @qualifier)
(scoped_identifier name: (identifier) @qualifier)
(field_initializer field: (field_identifier) @reference)
(field_expression field: (field_identifier) @reference)
(macro_invocation macro: [(identifier) @reference (scoped_identifier name: (identifier) @reference)])
(type_identifier) @type
(attribute arguments: (token_tree (identifier) @qualifier))

(use_declaration argument: (identifier) @module) @import
(use_declaration argument: (scoped_identifier path: (_) @module name: (identifier) @imported)) @import
(use_declaration argument: (use_wildcard (_) @module)) @import
(use_declaration argument: (use_as_clause path: [(identifier) @module (scoped_identifier path: (_) @module name: (identifier) @imported)])) @import
(use_declaration argument: (scoped_use_list path: (_) @module)) @import
(use_declaration argument: (scoped_use_list list: (use_list [
  (identifier) @imported
  (scoped_identifier name: (identifier) @imported)
  (use_as_clause path: [(identifier) @imported (scoped_identifier name: (identifier) @imported)])
  (scoped_use_list list: (use_list [(identifier) @imported (scoped_identifier name: (identifier) @imported)
                                    (use_as_clause path: (identifier) @imported)]))]))) @import
(use_declaration argument: (use_list [(identifier) @module (scoped_identifier path: (_) @module)])) @import
(extern_crate_declaration name: (identifier) @module) @import
(mod_item name: (identifier) @module !body) @import
