import { existsSync } from 'node:fs';

/** Names that say that their value is a secret. `TOKENIZERS_PARALLELISM` and the like say something else. */
const SECRET_NAME =
  /TOKEN(?!IZ)|SECRET|PASSW(?:OR)?D|PASSPHRASE|CREDENTIAL|(?:API|PRIVATE|SIGNING|ENCRYPTION|MASTER|ACCOUNT|AUTH)_?KEY|ACCESS_?KEY(?!_?ID)|_(?:PASS|PWD)$/;
/** Names of what lies around a secret: where it is, how long it lasts, how many there may be. */
const OTHER_NAME =
  /_(?:FILE|PATH|DIR|SOCK|URL|URI|HOST|PORT|ENDPOINT|NAME|USER|TYPE|HEADER|TTL|LENGTH|LIMIT|COUNT|SECONDS|MS|ENABLED|EXPIRES(?:_AT|_IN)?)$|(?:^|_)(?:MAX|MIN|NUM)_|PUBLIC_?KEY/;
const ADDRESS_NAME = /(?:UR[LI]|DSN|CONN(?:ECTION)?(?:_?STR(?:ING)?)?)$/;
const URL_PASSWORD = /:\/\/[^\s/:@]*:([^\s/]+)@/g;
/** As `Password=…;` in what some databases are reached by. */
const PAIR_PASSWORD = /(?:^|[;?&\s])(?:password|passwd|pwd|account_?key|sharedaccesskey|secret|token)=([^;&\s]+)/gi;
/** Words that stand for no secret, or for one that hides nothing, and would make ordinary lines unreadable. */
const WORDS: ReadonlySet<string> = new Set([
  ...['undefined', 'disabled', 'required', 'optional', 'production', 'development', 'keychain', 'external'],
  ...['password', 'passwort', 'postgres', 'changeme', 'username', 'rabbitmq'],
]);
const LEAST_CHARS = 8;

/**
 * Values of environment variables that must not stand in a trail: of those whose name says so, and passwords in the addresses of
 * the others. Not: values under 8 characters, plain words, counts, and files that are there.
 */
export function secretEnvValues(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const values = Object.entries(env).flatMap(([name, value = '']) => {
    const upper = name.toUpperCase();
    const passwords = value.includes('://') ? found(URL_PASSWORD, value).flatMap(decoded) : [];
    const pairs = ADDRESS_NAME.test(upper) ? found(PAIR_PASSWORD, value) : [];
    const whole = SECRET_NAME.test(upper) && !OTHER_NAME.test(upper) && !isCount(upper, value) ? [value.trim()] : [];
    return [...passwords, ...pairs, ...whole];
  });
  return [...new Set(values)].filter(
    (value) => value.length >= LEAST_CHARS && !WORDS.has(value.toLowerCase()) && !isFile(value),
  );
}

function found(pattern: RegExp, text: string): readonly string[] {
  return [...text.matchAll(pattern)].flatMap(([, secret]) => secret ?? []);
}

function decoded(text: string): readonly string[] {
  try {
    return [text, decodeURIComponent(text)];
  } catch {
    return [text];
  }
}

/** Tokens are also what models are counted in. */
function isCount(name: string, value: string): boolean {
  return name.includes('TOKEN') && /^[\d_]+$/.test(value.trim());
}

function isFile(value: string): boolean {
  return /^(?:~|\.{1,2})?[/\\]|^[A-Za-z]:\\/.test(value) && existsSync(value);
}
