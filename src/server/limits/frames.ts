import type { RawData, WebSocket } from 'ws';
import { TrailError } from '../../core/error.ts';
import { FRAMES_IN, FRAMES_IN_MS } from '../../core/limits.ts';

/**
 * Hear a client's frames one by one, as text. What is binary or comes too often is refused, and nothing is heard after that:
 * each frame costs us more than it costs the client.
 */
export function hearFrames(socket: WebSocket, hear: (text: string) => void, refuse: (error: unknown) => void): void {
  let sinceMs = performance.now();
  let frames = 0;
  const take = (data: RawData, isBinary: boolean): void => {
    try {
      const nowMs = performance.now();
      if (nowMs - sinceMs > FRAMES_IN_MS) {
        sinceMs = nowMs;
        frames = 0;
      }
      frames += 1;
      if (frames > FRAMES_IN) {
        throw new TrailError('too_many_frames', `expected at most ${FRAMES_IN} frames in ${FRAMES_IN_MS / 1_000} s`);
      }
      if (isBinary) throw new TrailError('invalid_request', 'expected frames of text, got a binary one');
      hear(String(data));
    } catch (error) {
      socket.off('message', take);
      refuse(error);
    }
  };
  socket.on('message', take);
}
