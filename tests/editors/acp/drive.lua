-- CodeCompanion with the lines of docs/acp.md; sends one task, answers each question with `accept`, and writes
-- what the chat shows to a file. Variables: PLUGINS, AGENT (JSON), TASKS (JSON), OPEN, SHOWN.
local plugins = vim.env.PLUGINS
vim.opt.runtimepath:append(plugins .. "/plenary.nvim")
vim.opt.runtimepath:append(plugins .. "/codecompanion.nvim")
vim.o.autoread = true

-- A LuaJIT that was built to be like Lua 5.2 gives the main thread, which CodeCompanion takes for one of its own.
local running = coroutine.running
coroutine.running = function()
  local thread, main = running()
  return not main and thread or nil
end

require("codecompanion").setup({
  adapters = {
    acp = {
      qwen = function()
        return require("codecompanion.adapters").extend("opencode", {
          name = "qwen",
          formatted_name = "Qwen",
          commands = { default = vim.json.decode(vim.env.AGENT) },
          defaults = { timeout = 60000 },
        })
      end,
    },
  },
  interactions = { chat = { adapter = "qwen" } },
})

vim.cmd.edit(vim.env.OPEN)
local opened = vim.api.nvim_get_current_buf()
require("codecompanion").chat()
local chat = require("codecompanion").last_chat()
local accept = require("codecompanion.interactions.chat.tools.labels").keymaps().accept

local function shown()
  return table.concat(vim.api.nvim_buf_get_lines(chat.bufnr, 0, -1, false), "\n")
end

local finished = 0
vim.api.nvim_create_autocmd("User", {
  pattern = "CodeCompanionChatDone",
  callback = function()
    finished = finished + 1
  end,
})
vim.api.nvim_create_autocmd("User", {
  pattern = "CodeCompanionToolApprovalRequested",
  callback = function()
    vim.schedule(function()
      vim.api.nvim_set_current_win(vim.fn.bufwinid(chat.bufnr))
      vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes(accept, true, true, true), "mx", false)
    end)
  end,
})

local function driven()
  -- The agent is started when the chat opens.
  vim.wait(120000, function()
    return chat.acp_connection ~= nil and chat.acp_connection:is_ready()
  end, 20)
  for number, task in ipairs(vim.json.decode(vim.env.TASKS)) do
    chat:add_buf_message({ role = "user", content = task })
    chat:submit()
    vim.wait(120000, function()
      return finished >= number
    end, 20)
  end
  vim.cmd.checktime()
  local file = assert(io.open(vim.env.SHOWN, "w"))
  file:write(vim.json.encode({
    chat = shown(),
    finished = finished,
    text = table.concat(vim.api.nvim_buf_get_lines(opened, 0, -1, false), "\n") .. "\n",
  }))
  file:close()
  if chat.acp_connection then
    chat.acp_connection:disconnect()
  end
  vim.cmd("qall!")
end

vim.schedule(driven)
