/**
 * Every limit and default of tasktrail in one place. Sizes are bytes, times are milliseconds.
 * A limit that bites always says so: an error code, a mark in `metadata`, or a count in `lost`.
 */

/** Longest message, in bytes of UTF-8. A longer captured line goes on in following entries. */
export const LINE_BYTES = 1024 * 1024;
/** Longest line of a known agent, in bytes: it is parsed whole, and what comes of it is cut to the limits of an entry. */
export const AGENT_LINE_BYTES = 64 * 1024 * 1024;
/** Largest `metadata` of an entry, in bytes of JSON. */
export const METADATA_BYTES = 64 * 1024;
/** Deepest nesting of any JSON that comes in. */
export const JSON_DEPTH = 64;
/** Largest request body after decompression. */
export const BODY_BYTES = 32 * 1024 * 1024;
/** Most lines in one ingestion request. */
export const BATCH_LINES = 100_000;
/** Memory that one task's unwritten lines may take. */
export const TASK_BUFFER_BYTES = 16 * 1024 * 1024;
/** Memory that all tasks' unwritten lines may take in one process. */
export const BUFFER_BYTES = 128 * 1024 * 1024;
/** Longest time that a line nobody awaits stays unwritten. */
export const FLUSH_MS = 25;
/** Longest `source`, in characters. */
export const SOURCE_CHARS = 64;
/** Longest task id, in characters. */
export const TASK_ID_CHARS = 128;
/** Longest short text of a task (title, kind, owner …), in characters. */
export const TEXT_CHARS = 1_000;
/** Largest JSON field of a task (params, input, metadata, result), in bytes. */
export const TASK_JSON_BYTES = 1024 * 1024;
/** Most tags of a task. */
export const TAGS = 50;
/** Longest search text or regular expression, in characters. */
export const SEARCH_CHARS = 1_000;
/** Most terms of a query, and deepest nesting of its parentheses. */
export const QUERY_TERMS = 100;
export const QUERY_DEPTH = 20;
/** Most rows one read of a store visits or returns, so that no read transaction is long. */
export const READ_ROWS = 5_000;
/** Longest `lastLine` of a task, in characters. */
export const LAST_LINE_CHARS = 200;
/** Most bytes of JSON one page of a read holds; a single longer line still comes, alone. */
export const READ_BYTES = 2 * 1024 * 1024;
/** Most characters of messages one read looks at: a pattern over long lines must not hold up other readers. */
export const LOOK_CHARS = 4 * 1024 * 1024;
/** The same for a step of a follower: about one frame. */
export const FRAME_BYTES = 256 * 1024;
/** Days after its end at which a task's lines are compressed, and how often is looked for such tasks. */
export const COMPRESS_AFTER_DAYS = 7;
export const COMPRESS_EVERY_MS = 60 * 60 * 1000;
/** Days after its end at which a task is deleted, and how often is looked for such tasks. */
export const RETENTION_DAYS = 30;
export const PRUNE_EVERY_MS = 60 * 60 * 1000;
/** Most tasks that one step of pruning names, and that one commit deletes. */
export const PRUNE_TASKS = 1_000;
/** Steps that a preview of what would go looks at, and tasks that it names. */
export const RETENTION_STEPS = 50;
export const RETENTION_EXAMPLES = 10;
export const PRUNE_COMMIT_TASKS = 50;
/** Seconds without line or heartbeat after which an outside task counts as left by its reporter, and how often is looked. */
export const STALE_AFTER_SECONDS = 60 * 60;
export const STALE_EVERY_MS = 60 * 1000;
/** Lines a block of the summary covers. */
export const BLOCK_LINES = 1_024;
/** Most characters of messages and metadata that are compressed together; a single longer line still is, alone. */
export const CHUNK_CHARS = 1024 * 1024;
/** Characters of decompressed lines that a reader keeps, so that the next page need not decompress them again. */
export const CHUNK_CACHE_CHARS = 8 * 1024 * 1024;
/** Default and largest number of entries of one page of the API. */
export const PAGE_LINES = 100;
export const PAGE_LINES_MAX = 10_000;
/** Default and largest number of tasks of one page of the API. */
export const PAGE_TASKS = 50;
export const PAGE_TASKS_MAX = 1_000;
/** Time that counting a text or regex filter may take: `count=auto`, `count=exact`. */
export const COUNT_AUTO_MS = 100;
export const COUNT_EXACT_MS = 2_000;
/** How long an idempotency key is remembered. */
export const KEY_DAYS = 7;
/** How long a deleted task answers 410. */
export const TOMBSTONE_DAYS = 90;
/** Heartbeat of streams, and of outside programs that report a task. */
export const HEARTBEAT_MS = 15_000;
/** An unended line older than this is shown as a `partial` frame, at most this often. */
export const PARTIAL_AFTER_MS = 500;
export const PARTIAL_EVERY_MS = 250;
/** How often a process looks for commits of other processes. */
export const FOREIGN_POLL_MS = 100;
/** Delay before another attempt to deliver: first and largest. */
export const RETRY_FIRST_MS = 250;
export const RETRY_MAX_MS = 5_000;
/** Delay before a failed agent is tried again: first and largest. */
export const AGENT_RETRY_FIRST_MS = 5_000;
export const AGENT_RETRY_MAX_MS = 600_000;
/** Longest plan that waits for a person, in characters. */
export const PLAN_CHARS = 100_000;
/** Bytes of undelivered lines that one run may keep in the spool. */
export const SPOOL_BYTES = 4 * 1024 * 1024 * 1024;
/** Longest text that is taken from a webhook delivery, in characters. */
export const WEBHOOK_TEXT_CHARS = 100_000;
/** Longest prompt that a template may become, and longest value that one place in it may become, in characters. */
export const WEBHOOK_PROMPT_CHARS = 200_000;
export const WEBHOOK_VALUE_CHARS = 50_000;
/** Longest prompt template, longest path and other short texts of a webhook, in characters. */
export const WEBHOOK_TEMPLATE_CHARS = 20_000;
export const WEBHOOK_WORD_CHARS = 200;
/** Most commands of a webhook, most conditions of each, and most values that one path with `[*]` may name. */
export const WEBHOOK_COMMANDS = 50;
export const WEBHOOK_CONDITIONS = 20;
export const WEBHOOK_VALUES = 1_000;
/** How far the time of a signed delivery may be from now. */
export const WEBHOOK_AGE_MS = 300_000;
/** Webhooks made at run time: each has a secret that is looked for in every line. */
export const WEBHOOKS = 200;
/** How long deliveries are kept, and how many of each webhook that started nothing; of so many the body is kept for a replay. */
export const DELIVERY_DAYS = 30;
export const DELIVERIES_KEPT = 10_000;
export const DELIVERY_BODIES_KEPT = 1_000;
/** Longest body that can be replayed. */
export const DELIVERY_BODY_BYTES = 1024 * 1024;
/** Alerts: most rules, and most targets of each. */
export const ALERTS = 200;
export const ALERT_TARGETS = 10;
/** How much of a message the patterns of alerts are looked for in, in characters. */
export const ALERT_PATTERN_CHARS = 16 * 1024;
/** Redis: the stream of events and its group, and the lists that mirror lines. */
export const TASK_EVENTS_STREAM = 'task_events';
export const TASK_EVENTS_GROUP = 'task-logger';
/** Most entries that one read of events takes, and the characters that all reads for one commit are to take. */
export const EVENTS_READ = 1_000;
export const EVENTS_READ_CHARS = 8 * 1024 * 1024;
/** How long a reader of events that is not heard of keeps its right. */
export const EVENTS_LEASE_MS = 10_000;
/** Attempts at an event that fails again and again, and about how many of those that failed are kept. */
export const EVENT_TRIES = 5;
export const DEAD_LETTERS = 100_000;
export const TASK_LOGS_REDIS_TTL_SECONDS = 86_400;
export const TASK_LOGS_REDIS_MAX = 100_000;
/**
 * Most steps of events that are committed together: of a backlog so many that lines of a task share what an append costs. And how long
 * such a commit is to take, so that others who append are not held up.
 */
export const EVENT_STEPS = 20_000;
export const EVENTS_COMMIT_MS = 250;
/** How long lines of webhook events wait for their task, and how many of one event. */
export const WEBHOOK_EVENT_HOURS = 24;
export const WEBHOOK_EVENT_LINES = 1_000;
/** Analytics: days unless it is asked otherwise, groups that are told apart, and tasks or reasons that its lists name. */
export const ANALYTICS_DAYS = 30;
export const ANALYTICS_GROUPS_MAX = 1_000;
/** Words that the parts of a group are told apart by, in the answer and while it is summed up. */
export const ANALYTICS_PARTS = 8;
export const ANALYTICS_PARTS_READ = 200;
export const TOP_TASKS = 10;
/** Tasks of one day that analytics reads at once; of a day with more it reads a part after the other. */
export const DAY_TASKS = 50_000;
/** Durations of one group that are kept as they are; with more, some are only known to 2.5 %. */
export const EXACT_DURATIONS = 2_000_000;
/** Failed tasks whose reasons are looked at, the newest first, and how much of each reason, in characters. */
export const FAILURES_READ = 20_000;
export const ERROR_CHARS = 300;
/** Combinations of source, agent, model and status that the totals of deleted tasks tell apart on one day. */
export const TOTALS_A_DAY = 1_000;
/** Deleted tasks that are known again when they are brought back, so that they do not count twice. */
export const COUNTED_TASKS = 1_000_000;
/** Search: most lines of a page, how long one may look, and the tasks that its facets name. */
export const SEARCH_LINES_MAX = 1_000;
export const SEARCH_MS = 2_000;
export const FACET_TASKS = 20;
/** Tasks whose newest block's text filter (16 KiB) a writer keeps in memory until it is stored. */
export const OPEN_FILTERS = 1_024;
/** A search over the API: shortest and longest time it may be given, and most lines around each found one. */
export const SEARCH_MS_MIN = 50;
export const SEARCH_MS_MAX = 10_000;
export const CONTEXT_LINES_MAX = 20;
/** About how many characters of messages and metadata a page of found lines holds, context included; then it ends. */
export const FOUND_CHARS = 8 * 1024 * 1024;
/** Marks in one line; how much of a line a pattern is looked for in to mark it, and how long that may take for a page. */
export const HIGHLIGHTS = 100;
export const HIGHLIGHT_CHARS = 8_192;
export const HIGHLIGHT_MS = 200;
/** Searches of one server at a time, and how long a further one waits for its turn before it is sent away. */
export const SEARCHES = 4;
export const SEARCH_WAIT_MS = 2_000;
/** Patterns: longest template, templates that are told apart while lines are counted, and those of an answer. */
export const TEMPLATE_CHARS = 300;
export const TEMPLATES_KEPT = 5_000;
export const PATTERNS = 50;
export const PATTERNS_MAX = 1_000;
/** Sources that a pattern names, characters of its sample, and tasks that are told apart beyond the first of each pattern. */
export const PATTERN_SOURCES = 10;
export const SAMPLE_CHARS = 1_000;
export const PATTERN_TASKS = 200_000;
/**
 * Regular expressions: pieces of one, each repetition counted as often as it may repeat, and the steps that one may take in a message,
 * a step being a character looked at by one instruction (20–40 ns): larger ones look at the start of a long message only.
 */
export const PATTERN_SIZE = 500;
export const PATTERN_STEPS = 8_000_000;
/** Rules of one's own for what is masked: most of them, longest pattern, and its most pieces, as every line is looked through. */
export const REDACTION_RULES = 50;
export const REDACTION_PATTERN_CHARS = 500;
export const REDACTION_PATTERN_SIZE = 200;
/** Longest text that the tester of rules looks at, and most rules that it tries. */
export const REDACTION_TEST_CHARS = 64 * 1024;
export const REDACTION_TEST_RULES = 10;
/** Values that may be registered over the API and by commands: at once, and until the next start. */
export const REDACTION_VALUES_AT_ONCE = 100;
export const REDACTION_VALUES = 1_000;
/** Longest of them, in characters. */
export const REDACTION_VALUE_CHARS = 64 * 1024;
/** Tokens and links that are kept, and sessions that were got for one token. */
export const TOKENS = 200;
export const SHARES = 1_000;
export const SESSIONS_OF_TOKEN = 50;
/** How long a session lasts without a request, and with them; how long a link to a task may last. */
export const SESSION_IDLE_MS = 3 * 24 * 60 * 60 * 1000;
export const SESSION_MS = 30 * 24 * 60 * 60 * 1000;
export const SHARE_DAYS = 90;
/** How often a server looks whether tokens, sessions or links were changed elsewhere, and how exactly their last use is kept. */
export const ACCESS_REFRESH_MS = 1_000;
export const USED_EVERY_MS = 60_000;
/** The audit: records that are kept and for how long, characters of one value in them, and refusals that are written in a minute. */
export const AUDIT_RECORDS = 100_000;
export const AUDIT_DAYS = 365;
export const AUDIT_VALUE_CHARS = 300;
export const AUDIT_DETAILS_CHARS = 16 * 1024;
export const AUDIT_REFUSALS_MINUTE = 60;
/** Records of one page of the audit: unless it is asked otherwise, and at most. */
export const PAGE_AUDIT = 100;
export const PAGE_AUDIT_MAX = 1_000;
/** Outline: most marks of an answer, and how long one may take. */
export const OUTLINE_MARKS = 2_000;
export const OUTLINE_MS = 300;
/** Most fields of an entry's metadata, those on its outside. */
export const FIELDS = 1_000;
/** How many times its size a body may inflate to, once it is over the free size. */
export const INFLATION_RATIO = 200;
export const INFLATION_FREE_BYTES = 8 * 1024 * 1024;
/** Largest headers of a request, and longest path and query in them: room for the longest query in any script, escaped. */
export const HEADER_BYTES = 16 * 1024;
export const URL_BYTES = 12 * 1024;
/** How long a request may take to come in, headers and all of it; and how often that is looked at. */
export const HEADERS_MS = 10_000;
export const REQUEST_MS = 14_000;
export const REQUEST_CHECK_MS = 1_000;
/** A reader that takes nothing of what waits for it in this time is cut; found out after twice as long at most. */
export const STALLED_MS = 20_000;
/** A client's frames on a WebSocket: the largest, and how many in how long. It sends filters and pings only. */
export const FRAME_IN_BYTES = 64 * 1024;
export const FRAMES_IN = 100;
export const FRAMES_IN_MS = 5_000;
/** WebSockets, followers and downloads that are open: of one caller, and in all. */
export const STREAMS_OF_CALLER = 500;
export const STREAMS_OPEN = 5_000;
/** Requests a minute of one caller unless it is set otherwise. What else is counted is so many times as much. */
export const RATE_REQUESTS = 60_000;
export const RATE_TIMES = { requests: 1, lines: 10, tasks: 0.1, deliveries: 0.1 } as const;
/** Attempts a minute, of one address, with a token or signature that is none of ours. */
export const RATE_ATTEMPTS = 1_000;
/** Callers and addresses that are told apart by each count; of more, those heard of last. */
export const RATE_CALLERS = 10_000;
