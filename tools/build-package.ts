/** `npm run build`: what the published package holds, in dist/. The checkout itself needs none of it. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from './package/bundle.ts';
import { emitDeclarations } from './package/declarations.ts';
import { writeLicenses } from './package/licenses.ts';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');

rmSync(dist, { recursive: true, force: true });
const packages = await bundle(root, dist);
emitDeclarations(root, dist);
writeLicenses(root, dist, packages);
