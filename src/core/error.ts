/**
 * The one table of errors. The HTTP status, whether a retry can help, and a short title; `docs/errors.md` and the API's
 * problem answers are made from it, and a test holds them equal.
 */
export const ERRORS = {
  // What the caller sent is wrong.
  invalid_request: { status: 400, retry: false, title: 'The request is not understood' },
  invalid_json: { status: 400, retry: false, title: 'The body is not valid JSON' },
  invalid_lines: { status: 400, retry: false, title: 'Some lines are not valid entries' },
  nested_too_deep: { status: 400, retry: false, title: 'The JSON is nested too deep' },
  invalid_task_id: { status: 400, retry: false, title: 'The task id is not valid' },
  invalid_task: { status: 400, retry: false, title: 'The task is not valid' },
  invalid_params: { status: 400, retry: false, title: 'The parameters are not valid' },
  invalid_plugin: { status: 400, retry: false, title: 'The plugin is not valid' },
  unknown_plugin: { status: 400, retry: false, title: 'The plugin is not known' },
  unknown_agent: { status: 400, retry: false, title: 'The agent is not known' },
  invalid_webhook: { status: 400, retry: false, title: 'The webhook is not valid' },
  invalid_alert: { status: 400, retry: false, title: 'The alert is not valid' },
  invalid_token: { status: 400, retry: false, title: 'The token is not valid' },
  invalid_status: { status: 400, retry: false, title: 'The status is not known' },
  invalid_filter: { status: 400, retry: false, title: 'The filter is not valid' },
  invalid_query: { status: 400, retry: false, title: 'The query is not valid' },
  query_too_long: { status: 400, retry: false, title: 'The query is too long' },
  invalid_parameter: { status: 400, retry: false, title: 'A parameter is not valid' },
  unknown_parameter: { status: 400, retry: false, title: 'A parameter is not known' },
  invalid_cursor: { status: 400, retry: false, title: 'The cursor is not valid' },
  metadata_too_large: { status: 400, retry: false, title: 'The metadata is too large' },
  too_many_fields: { status: 400, retry: false, title: 'The metadata has too many fields' },
  message_too_large: { status: 400, retry: false, title: 'The message is too long' },
  invalid_setting: { status: 400, retry: false, title: 'A setting is not valid' },
  invalid_usage: { status: 400, retry: false, title: 'The command is not used rightly' },
  unauthorized: { status: 401, retry: false, title: 'A token is needed' },
  invalid_signature: { status: 401, retry: false, title: 'The delivery is not signed as it should be' },
  forbidden: { status: 403, retry: false, title: 'This is not allowed' },
  host_not_allowed: { status: 403, retry: false, title: 'The host name is not allowed' },
  origin_not_allowed: { status: 403, retry: false, title: 'The origin is not allowed' },
  not_found: { status: 404, retry: false, title: 'Nothing is here' },
  task_not_found: { status: 404, retry: false, title: 'The task does not exist' },
  token_not_found: { status: 404, retry: false, title: 'The token does not exist' },
  share_not_found: { status: 404, retry: false, title: 'The link does not exist' },
  alert_not_found: { status: 404, retry: false, title: 'The alert does not exist' },
  webhook_not_found: { status: 404, retry: false, title: 'The webhook does not exist' },
  delivery_not_found: { status: 404, retry: false, title: 'The delivery does not exist' },
  method_not_allowed: { status: 405, retry: false, title: 'The method is not allowed here' },
  not_acceptable: { status: 406, retry: false, title: 'The wanted format is not offered' },
  request_timeout: { status: 408, retry: true, title: 'The request came too slowly' },
  task_exists: { status: 409, retry: false, title: 'The task exists already' },
  task_running: { status: 409, retry: false, title: 'The task is still running' },
  invalid_transition: { status: 409, retry: false, title: 'The task cannot move to this status' },
  not_rerunnable: { status: 409, retry: false, title: 'The task was not run here' },
  budget_spent: { status: 409, retry: false, title: 'The budget is spent' },
  not_pausable: { status: 409, retry: false, title: 'The task cannot pause' },
  too_many_webhooks: { status: 409, retry: false, title: 'There are too many webhooks' },
  webhook_exists: { status: 409, retry: false, title: 'The webhook exists already' },
  webhook_fixed: { status: 409, retry: false, title: 'The webhook stands in the settings' },
  too_many_alerts: { status: 409, retry: false, title: 'There are too many alerts' },
  alert_exists: { status: 409, retry: false, title: 'The alert exists already' },
  alert_fixed: { status: 409, retry: false, title: 'The alert stands in the settings' },
  not_replayable: { status: 409, retry: false, title: 'The delivery cannot be replayed' },
  event_conflict: { status: 409, retry: false, title: 'Another reader was faster' },
  owner_exists: { status: 409, retry: false, title: 'Another server owns the data directory' },
  too_many_tokens: { status: 409, retry: false, title: 'There are too many tokens' },
  token_fixed: { status: 409, retry: false, title: 'The token stands in the settings' },
  last_token: { status: 409, retry: false, title: 'Everybody would be let in, or nobody' },
  too_many_shares: { status: 409, retry: false, title: 'There are too many links' },
  task_deleted: { status: 410, retry: false, title: 'The task was deleted' },
  share_gone: { status: 410, retry: false, title: 'The link is over' },
  body_too_large: { status: 413, retry: false, title: 'The body is too large' },
  body_inflates_too_far: { status: 413, retry: false, title: 'The body inflates too far' },
  too_many_lines: { status: 413, retry: false, title: 'The batch has too many lines' },
  url_too_long: { status: 414, retry: false, title: 'The URL is too long' },
  unsupported_media_type: { status: 415, retry: false, title: 'The content type is not supported' },
  idempotency_mismatch: { status: 422, retry: false, title: 'The idempotency key was used with another body' },
  headers_too_large: { status: 431, retry: false, title: 'The headers are too large' },
  buffer_full: { status: 429, retry: true, title: 'Too much is waiting to be written' },
  too_many_searches: { status: 429, retry: true, title: 'Too many searches are under way' },
  too_many_requests: { status: 429, retry: true, title: 'Too many requests in a minute' },
  too_many_attempts: { status: 429, retry: true, title: 'Too many wrong tokens in a minute' },
  too_many_tasks: { status: 429, retry: true, title: 'Too many tasks in a minute' },
  too_many_deliveries: { status: 429, retry: true, title: 'Too many deliveries in a minute' },
  too_many_streams: { status: 429, retry: true, title: 'Too many streams are open' },
  too_many_frames: { status: 429, retry: true, title: 'Too many frames in a moment' },
  internal: { status: 500, retry: false, title: 'Something went wrong in the server' },
  not_implemented: { status: 501, retry: false, title: 'This is not offered' },
  webhook_not_configured: { status: 503, retry: false, title: 'The provider has no secret here' },
  store_unavailable: { status: 503, retry: true, title: 'The store cannot commit' },
  store_closed: { status: 503, retry: true, title: 'The store is closed' },
  server_unreachable: { status: 503, retry: true, title: 'The server does not answer' },
  unsafe_sqlite: { status: 503, retry: false, title: 'This SQLite version is not safe' },
  unknown_schema: { status: 503, retry: false, title: 'The database was made by a newer tasktrail' },
  storage_full: { status: 507, retry: true, title: 'The disk is full' },
} as const satisfies Record<string, { status: number; retry: boolean; title: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** One fault among several: the parameter or line that is wrong, and why. */
export interface Fault {
  readonly path: string;
  readonly detail: string;
  /** Where in a text the fault is: the column from 1 on and the length, both in UTF-16 code units. */
  readonly column?: number;
  readonly length?: number;
}

/** The only error that crosses rooms. `message` says what was expected, what came and what to do; it bears no row data. */
export class TrailError extends Error {
  static {
    TrailError.prototype.name = 'TrailError';
  }
  readonly code: ErrorCode;
  readonly errors: readonly Fault[] | undefined;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions & { errors?: readonly Fault[] | undefined }) {
    super(message, options);
    this.code = code;
    this.errors = options?.errors;
  }
}

/** Make a `TrailError` of anything thrown; what is not ours becomes `internal` and keeps its cause. */
export function asTrailError(error: unknown): TrailError {
  if (error instanceof TrailError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new TrailError('internal', message, { cause: error });
}
