import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { Http } from '../../client/http.ts';
import { asTrailError, TrailError } from '../../core/error.ts';
import type { WireWebhook } from '../../core/wire-webhook.ts';
import type { Delivery } from '../../inlet/webhooks/delivery.ts';
import { readPayload } from '../../inlet/webhooks/delivery.ts';
import { signatureHeaders } from '../../inlet/webhooks/sign.ts';
import { COMMAND } from '../package.ts';
import type { Config } from '../settings.ts';
import { type FoundServer, findServer } from '../target.ts';
import type { Terminal } from '../terminal.ts';
import { eventHeaders } from '../webhook-event.ts';
import { type Received, tellReceived } from '../webhook-words.ts';

export interface SendOptions {
  readonly provider?: string;
  readonly webhook?: string;
  readonly event?: string;
  readonly id?: string;
  readonly secret?: string;
  readonly secretFile?: string;
  readonly url?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** Settings that hold the secrets of the built-in webhooks, by provider. */
const SECRETS = {
  github: { key: 'githubWebhookSecret', name: 'GITHUB_WEBHOOK_SECRET' },
  jira: { key: 'jiraWebhookSecret', name: 'JIRA_WEBHOOK_SECRET' },
  slack: { key: 'slackSigningSecret', name: 'SLACK_SIGNING_SECRET' },
  sentry: { key: 'sentryClientSecret', name: 'SENTRY_CLIENT_SECRET' },
} as const;
type KnownProvider = keyof typeof SECRETS;

/** A delivery is acknowledged within a second; a server that is gone should be noticed. */
const ANSWER_MS = 30_000;
const ANSWER_CHARS = 1_000_000;

/** Sign a payload as its provider does, and send it. */
export async function send(terminal: Terminal, config: Config, file: string, options: SendOptions): Promise<number> {
  if (options.provider === undefined && options.webhook === undefined) {
    throw new TrailError(
      'invalid_usage',
      'expected --provider github, jira, slack, sentry, or --webhook ID; got neither',
    );
  }
  const body = await bodyOf(file);
  const named = options.url === undefined ? config : { ...config, url: webUrl(options.url) };
  const server = await findServer(named);
  if (server === undefined && !(options.dryRun && options.webhook === undefined)) {
    throw new TrailError(
      'server_unreachable',
      `no server runs on ${config.dataDir}; start one with: ${COMMAND} serve, or name it with --url or TASKTRAIL_URL`,
    );
  }
  const way = await wayOf(server, options);
  const secret = await secretOf(config, way, options);
  const type = isFormFile(file) ? 'application/x-www-form-urlencoded' : 'application/json';
  const delivery = { headers: { 'content-type': type }, body, nowMs: Date.now() };
  const headers = {
    'Content-Type': type,
    'User-Agent': 'tasktrail',
    ...headersOf(delivery, { ...way, secret }, options),
  };
  if (options.dryRun) {
    const url = server ? new Http(server.address).urlOf(way.path).href : `/${way.path}`;
    await terminal.print(shown({ url, headers, secret, body }));
    return 0;
  }
  if (server === undefined) return 1;
  if (secret === '' && way.scheme?.type !== 'none') {
    terminal.tell(`it goes unsigned: ${secretHint(way)} is not given`);
  }
  const received = await sent(server, { path: way.path, headers, body });
  return tellReceived(terminal, received, { json: options.json, base: server.base, hint: secretHint(way) });
}

/** Where a delivery goes, and how it is signed. */
interface Way {
  readonly provider: string;
  readonly path: string;
  readonly scheme: WireWebhook['signature'];
  /** The built-in webhook of the provider: its secret stands in the settings. */
  readonly builtIn: boolean;
}

async function wayOf(server: FoundServer | undefined, { provider, webhook }: SendOptions): Promise<Way> {
  if (webhook === undefined || (webhook === provider && isKnown(webhook))) {
    if (provider !== undefined && isKnown(provider)) {
      return { provider, path: `webhooks/${provider}`, scheme: null, builtIn: true };
    }
    throw new TrailError('invalid_usage', `--provider ${provider}: expected --webhook ID with it, got none`);
  }
  if (server === undefined) throw new TrailError('server_unreachable', 'expected a server to ask about the webhook');
  const path = `api/webhooks/${encodeURIComponent(webhook)}`;
  const found = await new Http(server.address).call<WireWebhook>('GET', path);
  if (provider !== undefined && provider !== found.provider) {
    throw new TrailError('invalid_usage', `--provider: ${webhook} is a webhook of ${found.provider}, got ${provider}`);
  }
  if (found.origin === 'builtin') {
    return { provider: found.provider, path: `webhooks/${found.provider}`, scheme: null, builtIn: true };
  }
  return {
    provider: found.provider,
    path: `webhooks/${encodeURIComponent(found.provider)}/${encodeURIComponent(webhook)}`,
    scheme: found.signature,
    builtIn: false,
  };
}

/** The secret, or an empty text when there is none. */
async function secretOf(config: Config, way: Way, { secret, secretFile }: SendOptions): Promise<string> {
  if (secret !== undefined) return secret;
  if (secretFile !== undefined) return (await contentOf(secretFile, '--secret-file')).toString('utf8').trim();
  return (way.builtIn && isKnown(way.provider) && config[SECRETS[way.provider].key]) || '';
}

function secretHint({ builtIn, provider }: Way): string {
  return builtIn && isKnown(provider) ? `${SECRETS[provider].name} or --secret-file` : '--secret-file';
}

function headersOf(
  delivery: Delivery,
  { provider, scheme, secret }: Way & { secret: string },
  { event, id = randomUUID() }: SendOptions,
): Readonly<Record<string, string>> {
  const { body, nowMs } = delivery;
  const signature = secret === '' ? {} : signatureHeaders({ provider, scheme, secret, body, nowMs });
  const headers = { ...eventHeaders(delivery, { provider, event, id }), ...signature };
  const odd = Object.entries(headers).find(([, value]) => !/^[\x20-\x7e]*$/.test(value));
  if (odd) throw new TrailError('invalid_usage', `${odd[0]}: expected printable ASCII in a header, got something else`);
  return headers;
}

async function bodyOf(file: string): Promise<Buffer> {
  if (file !== '-') return jsonChecked(file, await contentOf(file, 'FILE'));
  if (process.stdin.isTTY) {
    throw new TrailError('invalid_usage', 'expected a payload on standard input, which is a terminal');
  }
  return jsonChecked(file, await buffer(process.stdin));
}

function jsonChecked(file: string, body: Buffer): Buffer {
  if (isFormFile(file)) return body;
  try {
    readPayload({ headers: {}, body, nowMs: 0 });
  } catch (error) {
    const name = file === '-' ? 'standard input' : file;
    throw new TrailError(
      'invalid_usage',
      `${name}: ${asTrailError(error).message}; a form's file ends in .form or .txt`,
      {
        cause: error,
      },
    );
  }
  return body;
}

async function contentOf(file: string, option: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new TrailError('invalid_usage', `${option}: expected a file that can be read, got ${file} (${code})`, {
      cause: error,
    });
  }
}

function isFormFile(file: string): boolean {
  return /\.(?:form|txt)$/i.test(file);
}

interface Parcel {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** The server answers providers, who have no token: a refusal is an answer to be told, no failure to reach it. */
async function sent({ address }: FoundServer, { path, headers, body }: Parcel): Promise<Received> {
  const url = new Http(address).urlOf(path);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { accept: 'application/json', ...headers },
      body: new Uint8Array(body),
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    return { status: response.status, text: (await response.text()).slice(0, ANSWER_CHARS) };
  } catch (error) {
    throw new TrailError('server_unreachable', `the server at ${url.origin} did not answer; is it running?`, {
      cause: error,
    });
  }
}

function shown({ url, headers, secret, body }: { url: string; secret: string } & Omit<Parcel, 'path'>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const text = [`POST ${url}`, ...lines, `(${body.length} bytes, nothing was sent)`].join('\n');
  // A scheme may send the secret itself.
  return `${secret === '' ? text : text.replaceAll(secret, '[secret]')}\n`;
}

function webUrl(text: string): string {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol)) return text;
  throw new TrailError('invalid_usage', `--url: expected http://… or https://…, got ${text}`);
}

function isKnown(provider: string): provider is KnownProvider {
  return Object.hasOwn(SECRETS, provider);
}
