--- `:checkhealth qwen`
local M = {}
local MODULES = {
  copilot = 'copilot.lua',
  codeium = 'codeium',
  minuet = 'minuet',
  ['supermaven-nvim'] = 'supermaven',
  tabby = 'tabby',
}
local VARIABLES = { loaded_copilot = 'copilot.vim', loaded_codeium = 'codeium.vim', codeium_enabled = 'codeium.vim' }

local function endpoint(health, told)
  local at = told.endpoint
  if not at.configured then
    local how = 'Set OPENAI_BASE_URL and OPENAI_API_KEY, or endpoint.base_url in config.toml'
    return health.warn('no endpoint: suggestions come from your own files, and there is no agent', { how })
  end
  local where = ('endpoint %s, model %s'):format(at.host, at.model ~= '' and at.model or 'not known yet')
  local problem = told.state.problem
  if problem then return health.error(where .. ': ' .. problem, { '`qwen-lsp doctor` looks closer' }) end
  health.ok(where)
end

function M.check()
  local health, client = vim.health, require('qwen.client')
  health.start('qwen: server')
  local program, problem = client.program()
  if not program then return health.error(problem) end
  local version = vim.system({ program[1], '--version' }, { text = true }):wait(20000)
  local said = vim.trim(version.stdout .. version.stderr)
  if version.code == 0 then
    health.ok(program[1] .. ': ' .. said)
  else
    health.error(program[1] .. ' does not start', said)
  end -- stylua: ignore
  local running = client.get()
  if running then
    local asked = { command = 'qwen.status', arguments = { vim.empty_dict() } }
    local reply = client.call(running, 'request_sync', 'workspace/executeCommand', asked, 5000, 0)
    health.ok(('running for %d buffers'):format(vim.tbl_count(running.attached_buffers)))
    if reply and reply.result then
      endpoint(health, reply.result)
    else
      health.error('it does not answer', ':Qwen restart')
    end -- stylua: ignore
  else
    health.warn('not running', { 'It starts with the first file that has a filetype', ':Qwen log may tell why not' })
  end
  health.start('qwen: editor')
  if vim.lsp.inline_completion and require('qwen.options').now.inline then
    health.ok('suggestions are ghost text')
  else
    health.info('suggestions are in the completion menu (CTRL-X CTRL-O); ghost text needs Neovim 0.12')
  end
  local others = {}
  for module, name in pairs(MODULES) do
    others[name] = package.loaded[module] and true or others[name]
  end -- stylua: ignore
  for variable, name in pairs(VARIABLES) do
    others[name] = vim.g[variable] and true or others[name]
  end -- stylua: ignore
  for _, other in ipairs(vim.lsp.get_clients({ method = 'textDocument/inlineCompletion' })) do
    others[other.name] = other.name ~= 'qwen' or nil
  end
  local names = table.concat(vim.tbl_keys(others), ', ')
  if names == '' then return health.ok('no other plugin shows ghost text') end
  health.warn('also shows ghost text: ' .. names, { 'Both would draw at the cursor: turn one of them off' })
end

return M
