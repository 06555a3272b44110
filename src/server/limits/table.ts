import type { ErrorCode } from '../../core/error.ts';
import {
  BATCH_LINES,
  BODY_BYTES,
  BUFFER_BYTES,
  FIELDS,
  FRAME_IN_BYTES,
  FRAMES_IN,
  FRAMES_IN_MS,
  HEADER_BYTES,
  HEADERS_MS,
  INFLATION_FREE_BYTES,
  INFLATION_RATIO,
  JSON_DEPTH,
  LINE_BYTES,
  METADATA_BYTES,
  QUERY_DEPTH,
  QUERY_TERMS,
  RATE_ATTEMPTS,
  RATE_REQUESTS,
  RATE_TIMES,
  REQUEST_MS,
  SEARCH_CHARS,
  SEARCH_MS,
  SEARCH_MS_MAX,
  SEARCHES,
  STALLED_MS,
  STREAMS_OF_CALLER,
  STREAMS_OPEN,
  TASK_BUFFER_BYTES,
  TASK_JSON_BYTES,
  URL_BYTES,
} from '../../core/limits.ts';

export interface Limit {
  readonly limit: string;
  readonly value: string;
  /** How it shows: an error code; how a socket is closed, or that the connection is; what an answer says that was cut. */
  readonly shows: ErrorCode | '1009' | 'closed' | 'complete: false';
}

/** Every limit of what a caller may send, ask and keep open. OpenAPI has it as `x-limits`; a test holds docs/limits.md to it. */
export const LIMITS: readonly Limit[] = [
  { limit: 'body', value: `${mib(BODY_BYTES)}, inflated`, shows: 'body_too_large' },
  {
    limit: 'inflation',
    value: `${INFLATION_RATIO} times what was sent, above ${mib(INFLATION_FREE_BYTES)}`,
    shows: 'body_inflates_too_far',
  },
  { limit: 'message of a line', value: mib(LINE_BYTES), shows: 'message_too_large' },
  { limit: 'metadata of a line', value: `${kib(METADATA_BYTES)} of JSON`, shows: 'metadata_too_large' },
  { limit: 'fields of a line', value: `${count(FIELDS)} in its metadata`, shows: 'too_many_fields' },
  { limit: 'depth of JSON', value: `${JSON_DEPTH} levels`, shows: 'nested_too_deep' },
  { limit: 'lines of a batch', value: count(BATCH_LINES), shows: 'too_many_lines' },
  { limit: 'fields of a task', value: `${mib(TASK_JSON_BYTES)} of JSON each`, shows: 'invalid_task' },
  {
    limit: 'lines that wait',
    value: `${mib(TASK_BUFFER_BYTES)} of one task, ${mib(BUFFER_BYTES)} of all`,
    shows: 'buffer_full',
  },
  { limit: 'headers', value: kib(HEADER_BYTES), shows: 'headers_too_large' },
  { limit: 'URL', value: `${kib(URL_BYTES)} of path and query`, shows: 'url_too_long' },
  {
    limit: 'time of a request',
    value: `${seconds(HEADERS_MS)} for its headers, ${seconds(REQUEST_MS)} for all of it`,
    shows: 'request_timeout',
  },
  { limit: 'time of a reader', value: `${seconds(STALLED_MS)} without taking anything that waits`, shows: 'closed' },
  { limit: 'length of a query', value: `${count(SEARCH_CHARS)} characters`, shows: 'query_too_long' },
  {
    limit: 'parts of a query',
    value: `${QUERY_TERMS} terms, ${QUERY_DEPTH} parentheses within each other`,
    shows: 'invalid_query',
  },
  {
    limit: 'time of a search',
    value: `${seconds(SEARCH_MS)}, at most ${seconds(SEARCH_MS_MAX)} when asked for`,
    shows: 'complete: false',
  },
  { limit: 'searches at a time', value: count(SEARCHES), shows: 'too_many_searches' },
  {
    limit: 'open streams',
    value: `${count(STREAMS_OF_CALLER)} of one caller, ${count(STREAMS_OPEN)} in all`,
    shows: 'too_many_streams',
  },
  { limit: 'frame to the server', value: kib(FRAME_IN_BYTES), shows: '1009' },
  {
    limit: 'frames to the server',
    value: `${FRAMES_IN} in ${seconds(FRAMES_IN_MS)}`,
    shows: 'too_many_frames',
  },
  { limit: 'requests', value: perMinute('requests', 'of one caller'), shows: 'too_many_requests' },
  { limit: 'requests with lines', value: perMinute('lines', 'of one caller'), shows: 'too_many_requests' },
  { limit: 'new tasks', value: perMinute('tasks', 'of one caller'), shows: 'too_many_tasks' },
  {
    limit: 'deliveries',
    value: perMinute('deliveries', 'of one address to one webhook'),
    shows: 'too_many_deliveries',
  },
  { limit: 'wrong tokens', value: `${count(RATE_ATTEMPTS)} a minute of one address`, shows: 'too_many_attempts' },
];

function perMinute(rate: keyof typeof RATE_TIMES, whose: string): string {
  return `${count(RATE_REQUESTS * RATE_TIMES[rate])} a minute ${whose}`;
}

function count(number: number): string {
  return number.toLocaleString('en');
}

function kib(bytes: number): string {
  return `${count(bytes / 1024)} KiB`;
}

function mib(bytes: number): string {
  return `${count(bytes / 1024 / 1024)} MiB`;
}

function seconds(ms: number): string {
  return `${ms / 1_000} s`;
}
