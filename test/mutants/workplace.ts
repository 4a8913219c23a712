/** A copy of the repository to break things in; nothing is written outside it. */
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, rm, stat, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

/** Our packages; all others are linked as they are. */
const SCOPE = '@lookahead'

export class Workplace implements AsyncDisposable {
  readonly root: string

  private constructor(root: string) {
    this.root = root
  }

  /** Copies what git knows or would add, as it stands now, and links the installed packages. */
  static async of(source: string): Promise<Workplace> {
    const workplace = new Workplace(await mkdtemp(path.join(tmpdir(), 'lookahead-mutants-')))
    await copyFiles(source, workplace.root)
    await linkPackages(path.join(source, 'node_modules'), path.join(workplace.root, 'node_modules'))
    return workplace
  }

  /** Built graphs have a cache of their own: a fault shall spoil nobody else's. */
  get env(): NodeJS.ProcessEnv {
    return { ...process.env, LOOKAHEAD_CACHE: path.join(this.root, '.cache', 'graphs') }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.root, { recursive: true, force: true, maxRetries: 3 })
  }
}

async function copyFiles(source: string, target: string): Promise<void> {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  const { stdout } = await promisify(execFile)('git', args, { cwd: source, maxBuffer: 2 ** 26 })
  for (const file of stdout.split('\0').filter(Boolean)) {
    const from = path.join(source, file)
    // What was deleted, and not committed yet, is listed too.
    if (await stat(from).catch(() => undefined)) await cp(from, path.join(target, file), { preserveTimestamps: true })
  }
}

/** Our own packages are linked to their copies. */
async function linkPackages(source: string, target: string): Promise<void> {
  await mkdir(path.join(target, SCOPE), { recursive: true })
  for (const name of await readdir(source))
    if (name !== SCOPE) await symlink(path.join(source, name), path.join(target, name))
  for (const name of await readdir(path.join(source, SCOPE)))
    await symlink(path.join('..', '..', name), path.join(target, SCOPE, name))
}
