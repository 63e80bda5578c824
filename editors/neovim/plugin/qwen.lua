if vim.g.loaded_qwen then return end
vim.g.loaded_qwen = true
require('qwen').register()
