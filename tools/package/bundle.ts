import { build, type Metafile } from 'esbuild-wasm';

// What is bundled and was written for CommonJS asks for `require`, which a module does not have.
const banner =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/** Asked for by pg alone, which does without when it is not there. */
const OPTIONAL = ['pg-native'];

/**
 * Bundles the command, the library and the workers with all they depend on into `dist`. What is loaded lazily in
 * the sources is a file of its own there too.
 *
 * @returns the folders of the packages that went in, from the root, such as node_modules/pino
 */
export async function bundle(root: string, dist: string): Promise<Set<string>> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: {
      main: 'src/main.ts',
      index: 'src/index.ts',
      // Its name is how drivers/blobs/filesystem/upload-workers.ts finds it.
      'upload-worker': 'src/drivers/blobs/filesystem/upload-worker.ts',
      // And this is how drivers/scanners/builtin/worker-engine.ts does.
      'engine-worker': 'src/drivers/scanners/builtin/engine-worker.ts',
    },
    outdir: dist,
    bundle: true,
    external: OPTIONAL,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node26',
    // A module that is loaded lazily gives its names; CommonJS would give all it has under one, `default`.
    mainFields: ['module', 'main'],
    banner: { js: banner },
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  refuseOutside(metafile.outputs);
  refuseLazyCommonJs(metafile);
  const used = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs));
  return new Set(used.flatMap((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []));
}

/** An import that stays in the bundle must be one of Node's: the package has no dependencies. */
function refuseOutside(
  outputs: Record<string, { imports: { path: string; external?: boolean; kind: string }[] }>,
): void {
  const outside = Object.values(outputs)
    .flatMap(({ imports }) => imports)
    .filter(({ external, path }) => external && !isBuiltin(path) && !OPTIONAL.includes(path));
  if (outside.length > 0) throw new Error(`not bundled: ${outside.map(({ path }) => path).join(', ')}`);
}

/** The names that the sources take of it would all be undefined. */
function refuseLazyCommonJs({ inputs }: Metafile): void {
  const lazy = Object.values(inputs)
    .flatMap(({ imports }) => imports)
    .filter(({ kind, path }) => kind === 'dynamic-import' && inputs[path]?.format === 'cjs');
  if (lazy.length > 0) throw new Error(`CommonJS is loaded lazily: ${lazy.map(({ path }) => path).join(', ')}`);
}

function isBuiltin(path: string): boolean {
  return process.getBuiltinModule(path) !== undefined;
}
