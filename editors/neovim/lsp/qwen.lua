-- The entry for `vim.lsp.enable('qwen')`; everything is in lua/qwen.
return require('qwen.client').config()
