--- `:checkhealth qwen`
local M = {}
local MODULES = { copilot = 'copilot.lua', codeium = 'codeium', minuet = 'minuet', ['supermaven-nvim'] = 'supermaven' }
local VARIABLES = { loaded_copilot = 'copilot.vim', loaded_codeium = 'codeium.vim', codeium_enabled = 'codeium.vim' }
local STARTS = { 'It starts with the first file that has a filetype', ':Qwen log may tell more' }

local function server(health, client)
  local program, problem = client.program()
  if not program then return health.error(problem) end
  local version = vim.system({ program[1], '--version' }, { text = true }):wait(20000)
  local said, good = vim.trim(version.stdout .. version.stderr), version.code == 0
  health[good and 'ok' or 'error'](program[1] .. (good and ': ' or ' does not start: ') .. said)
  local running = client.get()
  if not running then return health.warn('not running', STARTS) end
  health.ok('running; open buffers: ' .. vim.tbl_count(running.attached_buffers))
  local asked = { command = 'qwen.status', arguments = { vim.empty_dict() } }
  local reply = client.call(running, 'request_sync', 'workspace/executeCommand', asked, 5000, 0)
  if not reply or not reply.result then return health.error('it does not answer', ':Qwen restart') end
  for _, check in ipairs(reply.result.checks) do
    health[check.level](check.text, check.advice ~= '' and check.advice or nil)
  end
end

function M.check()
  local health = vim.health
  health.start('qwen: server')
  server(health, require('qwen.client'))
  health.start('qwen: editor')
  if vim.lsp.inline_completion and require('qwen.options').now.inline then
    health.ok('suggestions are ghost text')
  else
    health.info('suggestions are in the completion menu (CTRL-X CTRL-O); ghost text needs Neovim 0.12')
  end
  local others = {}
  for module, name in pairs(MODULES) do others[name] = package.loaded[module] and true or others[name] end
  for variable, name in pairs(VARIABLES) do others[name] = vim.g[variable] and true or others[name] end
  for _, other in ipairs(vim.lsp.get_clients({ method = 'textDocument/inlineCompletion' })) do
    others[other.name] = other.name ~= 'qwen' or nil
  end
  local names = table.concat(vim.tbl_keys(others), ', ')
  if names == '' then return health.ok('no other plugin shows ghost text') end
  health.warn('also shows ghost text: ' .. names, 'Both would draw at the cursor: turn one of them off')
end

return M
