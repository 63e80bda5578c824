; An element is known by its id, and stands here as that attribute alone: a pattern that began at `element`
; would keep a state for each open element while all its children go by, which is dear on long pages.
(attribute . (attribute_name) @is.id . (quoted_attribute_value (attribute_value) @name)) @definition.element

(start_tag . (tag_name) @by.link.script
  (attribute (attribute_name) @by.href.src (quoted_attribute_value (attribute_value) @module))) @import
