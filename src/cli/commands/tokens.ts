import { Http } from '../../client/http.ts';
import type { JsonObject } from '../../core/entry.ts';
import { TrailError } from '../../core/error.ts';
import type { WireNewToken, WireToken } from '../../core/wire-access.ts';
import { tokenToWire } from '../../server/access-shapes.ts';
import { expiryOf } from '../../server/auth/expiry.ts';
import { newToken, type TokenWish } from '../../server/auth/tokens.ts';
import type { LocalTrail } from '../../trail/local.ts';
import type { Config } from '../settings.ts';
import { printJson, printTable } from '../table.ts';
import { findServer } from '../target.ts';
import type { Terminal } from '../terminal.ts';

export interface TokenOptions {
  readonly json?: boolean;
}

export interface CreateOptions extends TokenOptions {
  readonly role: TokenWish['role'];
  readonly expiresInDays?: string;
}

export async function create(
  terminal: Terminal,
  config: Config,
  name: string,
  { role, expiresInDays, json }: CreateOptions,
): Promise<number> {
  const days = expiresInDays === undefined ? undefined : daysOf(expiresInDays);
  const made = await withTokens(config, (tokens) => tokens.create({ name, role, days }));
  if (json) return printJson(terminal, [made]);
  const { token, token_id: id, expires_at: until } = made;
  // Alone on standard output, so that a script can take it.
  await terminal.print(`${token}\n`);
  terminal.tell(`${role} token ${id} for ${made.name}, ${until === null ? 'until it is revoked' : `until ${until}`}`);
  terminal.tell('it is shown this once; show it as TASKTRAIL_TOKEN or "Authorization: Bearer TOKEN"');
  return 0;
}

export async function list(terminal: Terminal, config: Config, { json }: TokenOptions): Promise<number> {
  const all = await withTokens(config, (tokens) => tokens.list());
  if (json) return printJson(terminal, all);
  if (all.length === 0) terminal.tell('there is no token yet');
  return printTable(terminal, ['ID', 'NAME', 'ROLE', 'BEGINS', 'EXPIRES', 'LAST USED', 'MADE BY'], all.map(cells));
}

export async function revoke(terminal: Terminal, config: Config, id: string): Promise<number> {
  await withTokens(config, (tokens) => tokens.revoke(id));
  terminal.tell(`the token ${id} is revoked`);
  return 0;
}

interface Wish extends Omit<TokenWish, 'expiresAt'> {
  readonly days: number | undefined;
}

/** Where the tokens are: at a server, or in the directory itself. */
interface Tokens {
  list(): Promise<readonly WireToken[]>;
  create(wish: Wish): Promise<WireNewToken>;
  revoke(id: string): Promise<void>;
}

async function withTokens<T>(config: Config, work: (tokens: Tokens) => Promise<T>): Promise<T> {
  const server = await findServer(config);
  if (server) return work(tokensOfServer(new Http(server.address)));
  const { openTrail, userName } = await import('../../trail/open.ts');
  const trail = await openTrail({ dataDir: config.dataDir });
  try {
    return await work(tokensOfDirectory(trail.parts, userName()));
  } finally {
    await trail.close();
  }
}

function tokensOfServer(http: Http): Tokens {
  return {
    list: async () => (await http.call<{ tokens: readonly WireToken[] }>('GET', 'api/tokens')).tokens,
    create: ({ name, role, days }) => {
      const body = { name, role, ...(days !== undefined && { expires_in_days: days }) };
      return http.call<WireNewToken>('POST', 'api/tokens', { body });
    },
    revoke: (id) => http.call<void>('DELETE', `api/tokens/${encodeURIComponent(id)}`),
  };
}

/** Nobody is asked for a token here: who may write the directory could read all that a token opens. */
function tokensOfDirectory({ store, intake }: LocalTrail['parts'], user: string | null): Tokens {
  const kept = async () => ((await store.credentials())?.list ?? []).filter(({ kind }) => kind === 'token');
  const record = (action: string, id: string, details: JsonObject): Promise<void> => {
    const actor = { kind: 'cli', name: user, role: null, address: null } as const;
    return intake.audit({ actor, action, target: { type: 'token', id }, requestId: null, outcome: 'done', details });
  };
  return {
    list: async () => {
      const shown = (await kept()).map((credential) => ({ credential, fixed: null, usedAt: credential.usedAt }));
      return shown.map((token) => tokenToWire(token, Date.now()));
    },
    create: async ({ name, role, days }) => {
      const nowMs = Date.now();
      const expiresAt = expiryOf(days === undefined ? {} : { expires_in_days: days }, { nowMs }) ?? null;
      const { token, credential } = newToken({ name, role, expiresAt }, { by: user, nowMs });
      await intake.changeCredentials({ add: credential });
      await record('token.create', credential.id, { name: credential.name, role, expires_at: expiresAt });
      return { ...tokenToWire({ credential, fixed: null, usedAt: null }, nowMs), token };
    },
    revoke: async (id) => {
      const token = (await kept()).find((credential) => credential.id === id);
      if (!token) throw new TrailError('token_not_found', `there is no token ${id}; see: tasktrail token list`);
      await intake.changeCredentials({ remove: [id] });
      await record('token.revoke', id, { name: token.name, role: token.role });
    },
  };
}

function cells(token: WireToken): readonly string[] {
  const { token_id: id, name, role, hint, fixed, expires_at: until, expired, last_used_at: used } = token;
  return [
    ...[id, name ?? '', role, hint === null ? '' : `${hint}…`],
    until === null ? 'never' : expired ? `expired ${minute(until)}` : minute(until),
    used === null ? 'never' : minute(used),
    fixed ? 'TASKTRAIL_TOKENS' : (token.created_by ?? ''),
  ];
}

function minute(iso: string): string {
  return `${iso.slice(0, 16)}Z`;
}

function daysOf(text: string): number {
  if (/^\d{1,4}(\.\d{1,3})?$/.test(text) && Number(text) > 0) return Number(text);
  throw new TrailError('invalid_usage', `--expires-in-days: expected a number of days, got ${text}`);
}
