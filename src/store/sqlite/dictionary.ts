/**
 * What the first lines of a task can already refer to: the frames that agents print around what they say. A short run shrinks
 * by a third with it, a long one hardly notices. Never change it, nor a byte: chunks on disk cannot be read without it. A better
 * one needs a number of its own beside each chunk.
 */
export const DICTIONARY: Uint8Array = new TextEncoder().encode(
  [
    '{"type":"system","subtype":"init","cwd":"/home/',
    '"tools":["Task","Agent","Bash","BashOutput","Edit","EnterPlanMode","ExitPlanMode","Glob","Grep","KillShell","MultiEdit","NotebookEdit","Read","Skill","SlashCommand","TodoWrite","ToolSearch","WebFetch","WebSearch","Workflow","Write"],"mcp_servers":[],"model":"claude-',
    '"permissionMode":"bypassPermissions","slash_commands":["clear","compact","config","context","cost","debug","init","loop","review","run","security-review","simplify","usage","verify"],"apiKeySource":"none","claude_code_version":"2.1.',
    '"output_style":"default","agents":["claude","general-purpose","statusline-setup","Explore","Plan"],"skills":[],"plugins":[],"analytics_disabled":true,"memory_paths":{"auto":"/home/agent/.claude/projects/',
    '{"type":"system","subtype":"thinking_tokens","estimated_tokens":1,"estimated_tokens_delta":1,"uuid":"',
    '{"type":"system","subtype":"status","status":"requesting","uuid":"',
    '{"type":"result","subtype":"success","is_error":false,"api_error_status":null,"duration_ms":1,"duration_api_ms":1,"ttft_ms":1,"num_turns":1,"result":"","stop_reason":"end_turn","session_id":"","total_cost_usd":0.',
    '"server_tool_use":{"web_search_requests":0,"web_fetch_requests":0},"service_tier":"standard","cache_creation":{"ephemeral_1h_input_tokens":0,"ephemeral_5m_input_tokens":0},"inference_geo":"","iterations":[],"speed":"standard"},"modelUsage":{"claude-',
    '{"inputTokens":1,"outputTokens":1,"cacheReadInputTokens":0,"cacheCreationInputTokens":0,"webSearchRequests":0,"costUSD":0.0,"contextWindow":200000,"maxOutputTokens":64000}},"permission_denials":[],"terminal_reason":"completed","fast_mode_state":"off","uuid":"',
    '{"type":"stream_event","event":{"type":"message_start","message":{"id":"msg_"',
    '{"type":"stream_event","event":{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":1',
    '{"type":"stream_event","event":{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}},"session_id":"',
    '{"type":"stream_event","event":{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\\"',
    '{"type":"stream_event","event":{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"',
    '{"type":"stream_event","event":{"type":"content_block_stop","index":0},"session_id":"","parent_tool_use_id":null,"uuid":"',
    '{"type":"user","message":{"role":"user","content":[{"tool_use_id":"toolu_","type":"tool_result","content":"","is_error":true}]},"parent_tool_use_id":null,"session_id":"","uuid":"","timestamp":"2026-01-01T00:00:00.000Z","tool_use_result":{"type":"text","file":{"filePath":"/home/","content":"","numLines":1,"startLine":1,"totalLines":1}}}',
    '"tool_use_result":{"stdout":"","stderr":"","interrupted":false,"isImage":false}}',
    '{"type":"assistant","message":{"id":"msg_01","type":"message","role":"assistant","model":"claude-","content":[{"type":"thinking","thinking":"","signature":"',
    '"content":[{"type":"tool_use","id":"toolu_01","name":"Bash","input":{"command":"","description":"","file_path":"/home/","old_string":"","new_string":"","replace_all":false,"pattern":"","path":"',
    '"content":[{"type":"text","text":""}],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"cache_creation_input_tokens":1,"cache_read_input_tokens":0,"output_tokens":1,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"service_tier":"standard"},"context_management":null},"parent_tool_use_id":null,"session_id":"","uuid":"',
    '{"ids":[1,1,1,1,1,1,1,1],"times":[1767614400000,0,0,0,0,0,0,0],"facets":[1,1,1,1,1,1,1,1],"metadataChars":1,"brokenMetadata":[],"brokenMessages":[]}\n\n\n\n\n\n\n\n',
  ].join('\n'),
);
