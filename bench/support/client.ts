import { Client } from 'undici';

/** One client on one kept-alive connection, which asks one thing at a time. */
export class BenchClient {
  readonly #client: Client;

  constructor(url: string) {
    this.#client = new Client(url, { pipelining: 1 });
  }

  get(path: string): Promise<string> {
    return this.#ask('GET', path);
  }

  async json<T>(path: string): Promise<T> {
    return JSON.parse(await this.get(path)) as T;
  }

  post(path: string, body: unknown): Promise<string> {
    return this.#ask('POST', path, JSON.stringify(body));
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async #ask(method: 'GET' | 'POST', path: string, body?: string): Promise<string> {
    const headers = { 'content-type': 'application/json' };
    const response = await this.#client.request({ method, path, ...(body !== undefined && { body, headers }) });
    const text = await response.body.text();
    if (response.statusCode >= 300) throw new Error(`${path} answered ${response.statusCode}: ${text}`);
    return text;
  }
}

/** How long each of so many turns took, in ms, after some that are not counted. */
export async function timesOf(count: number, work: (n: number) => Promise<unknown>): Promise<number[]> {
  for (let n = 0; n < Math.min(count, WARM_UP); n++) await work(n);
  const times: number[] = [];
  for (let n = 0; n < count; n++) {
    const startMs = performance.now();
    await work(n);
    times.push(performance.now() - startMs);
  }
  return times;
}

const WARM_UP = 20;
