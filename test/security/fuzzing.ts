import { type IncomingMessage, Agent as NodeAgent, request as send } from 'node:http';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import fc from 'fast-check';

/** A schema of the OpenAPI document, as far as values are made from it. */
interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly format?: string;
}

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly schema: Schema;
}

type Content = Readonly<Record<string, { readonly schema?: Schema }>>;

interface Described {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}

export interface Api {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
}

/** A route as the API describes it. */
export interface Operation extends Described {
  readonly method: string;
  readonly path: string;
}

/** A request as it goes out, byte by byte. */
export interface Shot {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  /** False for a stream that was still going on. */
  readonly whole: boolean;
}

export function operationsOf({ paths }: Api): readonly Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => ({ ...described, method: method.toUpperCase(), path })),
  );
}

const DEEP = 20_000;
const HUGE = `1${'0'.repeat(400)}`;
/** Texts that break what is not written with care. */
const EVIL_TEXTS = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\ud800',
  'x\udfff\ud800y',
  '\u202e\u2066\ufeff',
  '𝒳'.repeat(40),
  'é'.normalize('NFD'),
  '../../../../etc/passwd',
  '..%2f..%2f',
  "' OR 1=1 --",
  '"; DROP TABLE audit; --',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: what others would fill in
  '${jndi:ldap://x}',
  '{{constructor}}',
  '<script>alert(1)</script>',
  '__proto__',
  'constructor',
  'toString',
  '\r\nx-injected: 1',
  '\u001b[2J\u001b]0;x\u0007',
  '(((((a+)+)+)+)+)$',
  '[',
  'level:',
  '-',
  'NaN',
  'Infinity',
  '1e999',
  '-0',
  '0x10',
  '9'.repeat(400),
  'a'.repeat(3_000),
  'http://169.254.169.254/latest',
  'file:///etc/passwd',
  '+275760-09-13T00:00:00.001Z',
  '0000-00-00T00:00:00Z',
  '-271821-04-20T00:00:00.000Z',
  '8640000000000001',
];
/** Fragments of JSON that a careful program would not send. */
const EVIL_JSON = [
  HUGE,
  '-0',
  '1e308',
  '-1e308',
  '9007199254740993',
  '-9007199254740993',
  '1.5',
  'null',
  '[]',
  '{}',
  '[[[]]]',
  'true',
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"":""}',
  '{"a":1,"a":2}',
  '"\\ud800"',
  '"\\u0000"',
  `${'['.repeat(100)}${']'.repeat(100)}`,
];
/** Whole bodies. */
const EVIL_BODIES = [
  '',
  ' ',
  '{',
  '}',
  'nul',
  '\ufeff{}',
  '{"a":}',
  '"text"',
  '42',
  '{}{}',
  '{}\n{}',
  `${'['.repeat(DEEP)}${']'.repeat(DEEP)}`,
  `${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`,
  ...EVIL_JSON,
].map((text) => Buffer.from(text));
const EVIL_BYTES = [Buffer.from([0xff, 0xfe, 0x00]), Buffer.from('{"a":"\xff"}', 'latin1'), Buffer.alloc(300, 0)];
const EVIL_TYPES = [
  'application/json; charset=utf-16',
  'application/json;;',
  'application/x-ndjson',
  'text/plain',
  'multipart/form-data; boundary=x',
  'application/xml',
  '',
  '*/*',
];
/** Parts of a path as they stand in the address. */
const EVIL_SEGMENTS = [
  '%',
  '%zz',
  '%00',
  '%ff',
  '%2e%2e',
  '%2F',
  '%25',
  '%ED%A0%80',
  '..',
  ';',
  '~',
  '%C0%AE',
  '!$&',
  "'",
];

const evilText = fc.constantFrom(...EVIL_TEXTS);
const anyText = fc.oneof(
  { weight: 3, arbitrary: fc.string({ maxLength: 20 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
  { weight: 3, arbitrary: evilText },
);
/** Times and words that many parameters mean something by. */
const word = fc.constantFrom(
  'error',
  'INFO',
  'now',
  '-1h',
  '2026-01-24T10:00:00Z',
  '1769248800000',
  'log',
  'stdout',
  'a,b',
);

/** What the schema allows, or nearly. */
function textOf({ format, pattern, minLength = 0 }: Schema): fc.Arbitrary<string> {
  if (format === 'date-time')
    return fc.oneof(
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      word,
    );
  if (pattern !== undefined) return fc.oneof(fc.stringMatching(new RegExp(pattern, 'u')), anyText);
  return fc.oneof(fc.string({ minLength, maxLength: minLength + 12 }), word, anyText);
}

function numberOf({ type, minimum = -5, maximum = minimum + 100 }: Schema): fc.Arbitrary<number> {
  const edges = fc.constantFrom(minimum, maximum, minimum - 1, maximum + 1, 0, 2 ** 31, 2 ** 53 - 1, -(2 ** 53), 1e300);
  const fine =
    type === 'integer'
      ? fc.integer({ min: Math.ceil(minimum), max: Math.min(maximum, 2 ** 31 - 1) })
      : fc.double({ min: minimum, max: maximum, noNaN: true });
  return fc.oneof({ weight: 4, arbitrary: fine }, { weight: 1, arbitrary: edges });
}

/** JSON text for a schema: mostly what it allows, now and then what it does not. */
function jsonOf(schema: Schema, depth = 0): fc.Arbitrary<string> {
  const evil = fc.oneof(fc.constantFrom(...EVIL_JSON), evilText.map(quoted));
  return fc.oneof(
    { weight: depth === 0 ? 12 : 60, arbitrary: fineJson(schema, depth) },
    { weight: 1, arbitrary: evil },
  );
}

function fineJson(schema: Schema, depth: number): fc.Arbitrary<string> {
  const { enum: values, anyOf, type } = schema;
  if ('const' in schema) return fc.constant(JSON.stringify(schema.const));
  if (values) return fc.constantFrom(...values).map((value) => JSON.stringify(value));
  if (anyOf) return fc.oneof(...anyOf.map((one) => jsonOf(one, depth + 1)));
  if (type === 'string') return textOf(schema).map(quoted);
  if (type === 'integer' || type === 'number') return numberOf(schema).map(String);
  if (type === 'boolean') return fc.constantFrom('true', 'false');
  if (type === 'null') return fc.constant('null');
  if (type === 'array') {
    const items = fc.array(jsonOf(schema.items ?? {}, depth + 1), { maxLength: 3 });
    return items.map((parts) => `[${parts.join(',')}]`);
  }
  if (type === 'object') return objectOf(schema, depth);
  return fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value));
}

function objectOf(
  { properties = {}, required = [], additionalProperties }: Schema,
  depth: number,
): fc.Arbitrary<string> {
  const fields = Object.entries(properties).map(([name, schema]) =>
    fc.tuple(fc.constant(name), jsonOf(schema, depth + 1), fc.integer({ min: 0, max: 9 })).map(([key, json, dice]) => {
      // A required field is seldom left out, another one often.
      return dice < (required.includes(name) ? 1 : 6) ? [] : [`${quoted(key)}:${json}`];
    }),
  );
  const more = typeof additionalProperties === 'object' ? additionalProperties : {};
  const extra = fc.tuple(anyText, jsonOf(more, depth + 2)).map(([key, json]) => `${quoted(key)}:${json}`);
  const isOpen = additionalProperties !== undefined && additionalProperties !== false;
  const extras = fc.oneof(
    { weight: isOpen ? 1 : 12, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(extra, { maxLength: 2 }) },
  );
  return fc.tuple(extras, ...fields).map((parts) => `{${parts.flat().join(',')}}`);
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

/** Requests to a route. `ids` are names that mean something, by the name of the path's parameter. */
export function shotsAt(operation: Operation, ids: Readonly<Record<string, readonly string[]>>): fc.Arbitrary<Shot> {
  const { method, path } = operation;
  return fc
    .record({ path: pathOf(path, ids), query: queryOf(operation), headers: headersOf(method), body: bodyOf(operation) })
    .map(({ path: place, query, headers, body }) => ({
      method,
      path: query.length === 0 ? place : `${place}?${query.join('&')}`,
      headers: { ...(body !== null && { 'content-type': body.type }), ...headers },
      body: body?.bytes ?? null,
    }));
}

function pathOf(path: string, ids: Readonly<Record<string, readonly string[]>>): fc.Arbitrary<string> {
  const parts = path.split('/').map((part): fc.Arbitrary<string> => {
    const name = /^\{(.*)\}$/.exec(part)?.[1];
    if (name === undefined) return fc.constant(part);
    const known = fc.constantFrom(...(ids[name] ?? ['none']));
    return fc.oneof(
      { weight: 6, arbitrary: known },
      { weight: 1, arbitrary: fc.constantFrom(...EVIL_SEGMENTS) },
      { weight: 1, arbitrary: anyText.map((text) => encoded(text) || '%20') },
    );
  });
  return fc.tuple(...parts).map((texts) => texts.join('/'));
}

function queryOf({ parameters = [] }: Operation): fc.Arbitrary<string[]> {
  const known = parameters
    .filter((parameter) => parameter.in === 'query')
    .map(({ name, schema }) =>
      fc
        .tuple(fc.integer({ min: 0, max: 9 }), fc.array(queryValue(schema), { minLength: 1, maxLength: 2 }))
        .map(([dice, values]) =>
          // Now and then twice.
          dice < 7 ? [] : values.slice(0, dice === 9 ? 2 : 1).map((value) => `${name}=${encoded(value)}`),
        ),
    );
  const raw = fc.constantFrom(
    '&&',
    '=',
    '%',
    '__proto__=1',
    'a[b]=1',
    'constructor=x',
    '%ff=%fe',
    'limit=%',
    'x'.repeat(50),
  );
  const strange = fc.oneof(
    { weight: 12, arbitrary: fc.constant<string[]>([]) },
    { weight: 1, arbitrary: raw.map((one) => [one]) },
  );
  return fc.tuple(strange, ...known).map((parts) => parts.flat());
}

function queryValue(schema: Schema): fc.Arbitrary<string> {
  const one = schema.type === 'array' ? (schema.items ?? {}) : schema;
  const fine = fineJson(one, 0).map((json) => (json.startsWith('"') ? (JSON.parse(json) as string) : json));
  return fc.oneof({ weight: 4, arbitrary: fine }, { weight: 1, arbitrary: evilText });
}

function headersOf(method: string): fc.Arbitrary<Record<string, string>> {
  const accept = fc.constantFrom(
    'application/json',
    'application/x-ndjson',
    'text/event-stream',
    '*/*',
    'text/html',
    ',;q=x',
  );
  const strange = fc.record(
    {
      accept,
      'accept-encoding': fc.constantFrom('gzip', 'zstd', 'br;q=0', 'nonsense', '*'),
      'last-event-id': fc.constantFrom('1', '-1', 'x', '9'.repeat(30)),
      'idempotency-key': fc.constantFrom('k', 'k'.repeat(300), '%00'),
      ...(method === 'GET' ? {} : { 'content-encoding': fc.constantFrom('gzip', 'zstd', 'br', 'identity') }),
      range: fc.constant('bytes=0-1'),
      cookie: fc.constantFrom('tasktrail_session=x', 'a=b; tasktrail_share=%', '=;;='),
      'if-none-match': fc.constant('*'),
    },
    { requiredKeys: [] },
  );
  return fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: strange }) as fc.Arbitrary<
    Record<string, string>
  >;
}

interface Body {
  readonly type: string;
  readonly bytes: Uint8Array;
}

function bodyOf({ method, path, requestBody }: Operation): fc.Arbitrary<Body | null> {
  if (method === 'GET' || method === 'HEAD') return fc.constant(null);
  const schema = requestBody?.content['application/json']?.schema ?? (path.endsWith('/logs') ? LINES : {});
  const json = jsonOf(schema).map((text) => Buffer.from(text));
  const type = fc.oneof(
    { weight: 15, arbitrary: fc.constant('application/json') },
    { weight: 1, arbitrary: fc.constantFrom(...EVIL_TYPES) },
  );
  const bytes: fc.Arbitrary<Uint8Array> = fc.oneof(
    { weight: 10, arbitrary: json },
    { weight: 1, arbitrary: fc.constantFrom(...EVIL_BODIES, ...EVIL_BYTES) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  );
  const body = fc.record({ type, bytes });
  return fc.oneof(
    { weight: method === 'DELETE' || requestBody === undefined ? 1 : 12, arbitrary: body },
    { weight: 1, arbitrary: fc.constant(null) },
  );
}

const ENTRY: Schema = {
  type: 'object',
  required: ['message'],
  properties: {
    message: { type: 'string' },
    level: { enum: ['DEBUG', 'info', 'WARNING', 'fatal', 'x'] },
    source: { type: 'string' },
    stream: { enum: ['stdout', 'stderr', null, 'x'] },
    type: { type: 'string' },
    timestamp: { anyOf: [{ type: 'string', format: 'date-time' }, { type: 'number' }] },
    metadata: { type: 'object', additionalProperties: true },
  },
};
/** Lines have no schema in the API: they go on as bytes. */
const LINES: Schema = { anyOf: [ENTRY, { type: 'array', items: ENTRY }] };

/** Percent-encoding that takes half of a surrogate pair too, which no program of good manners sends. */
function encoded(text: string): string {
  return Array.from(text, (char) => (char.isWellFormed() ? encodeURIComponent(char) : '%ED%A0%80')).join('');
}

/** A stream is given up after so long; what it has sent so far is enough. */
const STREAM_MS = 50;
const ANSWER_MS = 30_000;

/** Sends requests over a few connections. */
export class Gun {
  readonly #url: URL;
  readonly #agent = new NodeAgent({ keepAlive: true, maxSockets: 8 });

  constructor(url: string) {
    this.#url = new URL(url);
  }

  fire(shot: Shot): Promise<Answer> {
    const { method, path, headers, body } = shot;
    const { hostname, port } = this.#url;
    return new Promise((resolve, reject) => {
      const sent = send({ hostname, port, method, path, headers, agent: this.#agent }, (response) => {
        read(response).then(resolve, reject);
      });
      sent.setTimeout(ANSWER_MS, () => sent.destroy(new Error(`no answer within ${ANSWER_MS} ms`)));
      sent.on('error', (error: NodeJS.ErrnoException) => {
        // The server closed a connection that nobody used, as this request went out on it.
        if (sent.reusedSocket && error.code === 'ECONNRESET') this.fire(shot).then(resolve, reject);
        else reject(error);
      });
      sent.end(body ?? undefined);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function read(response: IncomingMessage): Promise<Answer> {
  const { statusCode: status = 0, headers } = response;
  const type = headers['content-type']?.split(';')[0] ?? '';
  const chunks: Buffer[] = [];
  return new Promise((resolve, reject) => {
    const done = (whole: boolean): void => resolve({ status, type, text: Buffer.concat(chunks).toString(), whole });
    const isEndless = status === 200 && /event-stream|ndjson/.test(type);
    const timer = isEndless
      ? setTimeout(() => {
          done(false);
          response.destroy();
        }, STREAM_MS)
      : undefined;
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('end', () => {
      clearTimeout(timer);
      done(true);
    });
    response.on('error', reject);
  });
}

/** Says what is wrong with an answer; null when nothing is. */
export class Judge {
  readonly #ajv = new Ajv2020({ strict: false, validateFormats: false });
  readonly #checks = new Map<object, ValidateFunction>();

  fault(operation: Operation, { status, type, text, whole }: Answer, shot: Shot): string | null {
    if (status >= 500 && !isUnoffered(status, text)) return `answered ${status}: ${text.slice(0, 300)}`;
    const described = operation.responses[status];
    if (status >= 400) {
      if (type !== 'application/problem+json') return `answered ${status} as ${type || 'nothing'}, not as a problem`;
    } else if (!described) return `answered ${status}, which is not described`;
    if (!whole || status === 204 || status === 304) return null;
    const isJson = type === 'application/json' || type === 'application/problem+json';
    const content = (described ?? operation.responses.default)?.content;
    const schema = (content?.[type] ?? (isJson ? undefined : content && {}))?.schema;
    if (!isJson) return null;
    if (shot.headers['accept-encoding'] !== undefined) return null;
    if (schema === undefined) return `answered ${status} as ${type}, which is not described`;
    const check = this.#checkOf(schema);
    if (check(parsed(text))) return null;
    return `answered ${status} unlike its schema: ${this.#ajv.errorsText(check.errors)}; ${text.slice(0, 300)}`;
  }

  #checkOf(schema: object): ValidateFunction {
    const known = this.#checks.get(schema) ?? this.#ajv.compile(schema);
    this.#checks.set(schema, known);
    return known;
  }
}

/** What a server says that it does not do, or is not set up for, is no fault. */
function isUnoffered(status: number, text: string): boolean {
  return (status === 501 || status === 503) && /"code":"(not_implemented|webhook_not_configured)"/.test(text);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A shot as a person can send it again. */
export function told({ method, path, headers, body }: Shot): string {
  const shown = body === null ? '' : ` ${JSON.stringify(Buffer.from(body).toString('latin1').slice(0, 300))}`;
  return `${method} ${path.slice(0, 400)} ${JSON.stringify(headers)}${shown}`;
}
