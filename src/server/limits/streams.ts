import type { EventEmitter } from 'node:events';
import type { FastifyRequest } from 'fastify';
import { TrailError } from '../../core/error.ts';
import { STREAMS_OF_CALLER, STREAMS_OPEN } from '../../core/limits.ts';
import { callerKey } from './rates.ts';

/** What is open for long: WebSockets, followers and downloads. Each holds a page of lines at most, so their number is bounded. */
export class Streams {
  readonly #ofCaller = new Map<string, number>();
  #open = 0;

  /** Count a stream until `end` closes. Throws `too_many_streams` and counts nothing when as many are open as may. */
  enter(request: FastifyRequest, end: EventEmitter): void {
    const key = callerKey(request);
    const own = key === null ? 0 : (this.#ofCaller.get(key) ?? 0);
    if (own >= STREAMS_OF_CALLER) throw tooMany(STREAMS_OF_CALLER, 'of one caller');
    if (this.#open >= STREAMS_OPEN) throw tooMany(STREAMS_OPEN, 'in all');
    this.#open += 1;
    if (key !== null) this.#ofCaller.set(key, own + 1);
    end.once('close', () => this.#leave(key));
  }

  #leave(key: string | null): void {
    this.#open -= 1;
    if (key === null) return;
    const left = (this.#ofCaller.get(key) ?? 1) - 1;
    if (left === 0) this.#ofCaller.delete(key);
    else this.#ofCaller.set(key, left);
  }
}

function tooMany(most: number, whose: string): TrailError {
  return new TrailError('too_many_streams', `expected at most ${most} open streams ${whose}; close some`);
}
