; An element is known by its id, and stands here as that attribute alone: a pattern that began at `element`
; would keep a state for each open element while all its children go by, which is dear on long pages. The
; predicates let all other attributes and tags go before they reach Python.
((attribute . (attribute_name) @is.id . (quoted_attribute_value (attribute_value) @name)) @definition.element
  (#eq? @is.id "id"))

((start_tag . (tag_name) @by.link.script
   (attribute (attribute_name) @by.href.src (quoted_attribute_value (attribute_value) @module))) @import
  (#any-of? @by.link.script "link" "script"))
