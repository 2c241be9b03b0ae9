import { describe, it } from 'node:test';
import { startServer } from '../support/server.ts';
import { refusesNul } from './nul-requests.ts';

describe('texts with the character U+0000', () => {
  it('are refused', async () => {
    await using server = await startServer();
    await refusesNul(server);
  });
});
