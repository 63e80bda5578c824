-- Written by `qwen-lsp setup neovim`, which changes it again when the program has moved;
-- `qwen-lsp setup neovim --undo` removes it.

local cmd = { COMMAND }

-- The plugin, where a plugin manager has installed it: commands, keys, views. Your own setup of it counts for more.
local found, options = pcall(require, "qwen.options")
if found then
  if vim.deep_equal(options.now, options.defaults) then require("qwen").setup({ cmd = cmd }) end
  return
end

-- Without the plugin: Neovim's own client. Diagnostics, code actions and completion are its own too.
local markers = { ".git", "pyproject.toml", "package.json", "go.mod", "Cargo.toml" }

if vim.lsp.config then -- Neovim 0.11 and later
  vim.lsp.config("qwen", { cmd = cmd, root_markers = markers })
  vim.lsp.enable("qwen")
else
  vim.api.nvim_create_autocmd("FileType", {
    callback = function(event)
      if vim.bo[event.buf].buftype == "" then
        local root = vim.fs.root(event.buf, markers) or vim.fn.getcwd()
        vim.lsp.start({ name = "qwen", cmd = cmd, root_dir = root }, { bufnr = event.buf })
      end
    end,
  })
end

if vim.lsp.inline_completion then -- Neovim 0.12 and later: ghost text, taken with Tab
  vim.api.nvim_create_autocmd("LspAttach", {
    callback = function(event)
      local client = vim.lsp.get_client_by_id(event.data.client_id)
      if client and client.name == "qwen" then
        vim.lsp.inline_completion.enable(true, { bufnr = event.buf, client_id = client.id })
      end
    end,
  })
  vim.keymap.set("i", "<Tab>", function()
    return vim.lsp.inline_completion.get() and "" or "<Tab>"
  end, { expr = true, desc = "Take the suggestion, else a tab" })
end
