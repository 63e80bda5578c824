(function_item name: (identifier) @name body: (block) @body) @definition.function
(function_signature_item name: (identifier) @name) @definition.function
(struct_item name: (type_identifier) @name body: (_)? @body) @definition.struct
(union_item name: (type_identifier) @name body: (_) @body) @definition.struct
(enum_item name: (type_identifier) @name body: (_) @body) @definition.enum
(enum_variant name: (identifier) @name) @definition.member
(field_declaration name: (field_identifier) @name) @definition.field
(trait_item name: (type_identifier) @name body: (_) @body) @definition.trait
(impl_item type: [(type_identifier) @name (generic_type type: (type_identifier) @name)
                  (scoped_type_identifier name: (type_identifier) @name)
                  (generic_type type: (scoped_type_identifier name: (type_identifier) @name))
                  (reference_type type: (type_identifier) @name) (primitive_type) @name]
  body: (_)? @body) @definition.impl
(mod_item name: (identifier) @name body: (_)? @body) @definition.module
(const_item name: (identifier) @name value: (_)? @body) @definition.constant
(static_item name: (identifier) @name value: (_)? @body) @definition.constant
(type_item name: (type_identifier) @name) @definition.type
(associated_type name: (type_identifier) @name) @definition.type
(macro_definition name: (identifier) @name . (_) @body) @definition.macro

(source_file (attribute_item) @attribute)
(declaration_list (attribute_item) @attribute)
(enum_variant_list (attribute_item) @attribute)
(field_declaration_list (attribute_item) @attribute)
(block (attribute_item) @attribute)

(call_expression function: [(identifier) @reference (scoped_identifier name: (identifier) @reference)])
(generic_function function: [(identifier) @reference (scoped_identifier name: (identifier) @reference)])
(scoped_identifier path: (identifier) @qualifier)
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
