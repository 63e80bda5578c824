local M = {}

---@class qwen.Status `qwen/status` of docs/protocol.md.
M.state = { state = 'off', word = 'off', text = 'Qwen is not running.' }

local GROUPS = { Title = 'Title', Plan = 'Special', Done = 'Comment', Tool = 'Function', Output = 'Comment',
  Added = 'Added', Removed = 'Removed', Problem = 'DiagnosticError', Question = 'DiagnosticWarn',
  Border = 'FloatBorder', Float = 'NormalFloat', Keys = 'Comment' }

---@param text string
---@param level? integer
function M.say(text, level) vim.notify('Qwen: ' .. text, level or vim.log.levels.INFO) end

--- For a status line: `Qwen: on`; empty while no server runs.
---@param more? { tokens?: boolean } Also what was spent.
---@return string
function M.status(more)
  local now = M.state
  if #vim.lsp.get_clients({ name = 'qwen' }) == 0 then return '' end
  local word = require('qwen.inline').wanted(vim.api.nvim_get_current_buf()) and now.word or 'off here'
  return vim.trim('Qwen: ' .. word .. ' ' .. (more and more.tokens and now.spent or ''))
end

---@param now qwen.Status
function M.told(now)
  M.state = now
  vim.api.nvim_exec_autocmds('User', { pattern = 'QwenStatus', modeline = false })
  vim.cmd.redrawstatus({ bang = true })
end

--- Start Qwen in every buffer that is a file. Nothing has to be set.
---@param options? qwen.Options
function M.setup(options)
  require('qwen.options').set(options or {})
  M.register()
  require('qwen.inline').map()
  if vim.lsp.enable then return vim.lsp.enable('qwen') end
  local client, group = require('qwen.client'), vim.api.nvim_create_augroup('qwen.start', {})
  vim.api.nvim_create_autocmd('FileType', { group = group, callback = function(event) client.start(event.buf) end })
  client.start_all()
end

--- The command, the <Plug> maps and the highlight groups. May be called twice.
function M.register()
  require('qwen.commands').register()
  require('qwen.inline').register()
  for name, link in pairs(GROUPS) do vim.api.nvim_set_hl(0, 'Qwen' .. name, { link = link, default = true }) end
end

return M
