; The first two levels are what a file is about; what lies deeper is data.
(document (block_node (block_mapping
  (block_mapping_pair key: (flow_node) @name) @definition.key)))
(document (block_node (block_mapping (block_mapping_pair value: (block_node (block_mapping
  (block_mapping_pair key: (flow_node) @name) @definition.key))))))
