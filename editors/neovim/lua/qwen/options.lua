local M = {}

---@class qwen.Options
---@field cmd? string[] The server; else `qwen-lsp serve`, from PATH or ~/.local/bin.
---@field api_key? string[]|fun(): string? A command that prints the key, or a function that returns it. Asked for at
--- each start of the server and kept nowhere. Without one the server reads OPENAI_API_KEY.
---@field settings? table The server's settings in camelCase, such as `{ completion = { trigger = 'manual' } }`.
---@field filetypes? table<string, boolean> Where to start; `['*']` stands for all that are not named.
---@field root_markers? (string|string[])[] What marks the top folder of a workspace; earlier ones count for more.
---@field max_file_size? integer In bytes; larger files are left alone.
---@field inline? boolean False: suggestions come in the completion menu, not as ghost text.
---@field keys? false|table<string, string|false> Keys of insert mode, by what they do; false: none, or not this one.
---@field view? 'auto'|'right'|'bottom' Where the view of agent runs floats.
M.defaults = {
  settings = {},
  filetypes = { ['*'] = true },
  root_markers = { { '.git', '.hg', '.jj' }, { 'pyproject.toml', 'package.json', 'Cargo.toml', 'go.mod', 'Makefile' } },
  max_file_size = 1024 * 1024,
  inline = true,
  keys = { accept = '<Tab>', word = '<M-Right>', line = '<M-l>', next = '<M-]>', previous = '<M-[>',
    dismiss = '<C-]>' },
  view = 'auto',
}
M.now = vim.deepcopy(M.defaults) ---@type qwen.Options

---@param given qwen.Options
function M.set(given)
  for name in pairs(given) do
    if M.defaults[name] == nil and name ~= 'cmd' and name ~= 'api_key' then
      error(('qwen: there is no option `%s`; :help qwen-options lists them'):format(name), 0)
    end
  end
  if type(given.api_key) == 'string' then
    error('qwen: api_key is a command as a list, or a function: keys do not belong in files', 0)
  end
  M.now = vim.tbl_deep_extend('force', vim.deepcopy(M.defaults), given)
end

return M
