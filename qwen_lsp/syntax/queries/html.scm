(element (start_tag (attribute (attribute_name) @is.id (quoted_attribute_value (attribute_value) @name))) @body) @definition.element
(element (self_closing_tag (attribute (attribute_name) @is.id (quoted_attribute_value (attribute_value) @name)))) @definition.element

(script_element (start_tag (attribute (attribute_name) @by.src (quoted_attribute_value (attribute_value) @module))) @import)
(element (start_tag (tag_name) @by.link (attribute (attribute_name) @by.href (quoted_attribute_value (attribute_value) @module))) @import)
