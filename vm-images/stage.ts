// A file tree being put together from unpacked packages: programs and, by following DT_NEEDED, the libraries they need.
import { copyFile, link, lstat, mkdir, readdir, readlink, rm, stat, symlink, writeFile, chmod } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { readElf } from './elf.ts'
import { BuildProblem } from './problem.ts'
import type { ArchFacts } from './recipe.ts'

export interface Stage {
  readonly folder: string
  /** Takes a file of the package tree (following its symlinks inside that tree) to the same path here. */
  take(path: string): Promise<void>
  /** Adds the shared libraries of every ELF file put here so far. Throws when one is in no package. */
  takeLibraries(): Promise<void>
  /** Takes a file from anywhere (hard link where possible). */
  add(from: string, path: string, mode?: number): Promise<void>
  write(path: string, content: string | Buffer, mode?: number): Promise<void>
  linkTo(path: string, target: string): Promise<void>
  makeFolder(path: string): Promise<void>
}

export function newStage(options: { folder: string; packages: string; arch: ArchFacts }): Stage {
  const { folder, packages, arch } = options
  const libraryFolders = [`usr/lib/${arch.multiarch}`, 'usr/lib', dirname(arch.loader.path)]
  const programs = new Set<string>()
  const taken = new Set<string>()

  const place = async (path: string): Promise<string> => {
    const target = join(folder, path)
    await mkdir(dirname(target), { recursive: true })
    await rm(target, { force: true })
    return target
  }

  /** Absolute link targets mean "inside the tree". */
  const resolveIn = async (path: string): Promise<string> => {
    let current = path
    for (let hops = 0; hops < 16; hops++) {
      const found = await lstat(join(packages, current)).catch(() => undefined)
      if (found === undefined) throw missing(path)
      if (!found.isSymbolicLink()) return current
      const target = await readlink(join(packages, current))
      current = target.startsWith('/') ? normalize(target.slice(1)) : normalize(join(dirname(current), target))
    }
    throw missing(path)
  }

  const missing = (path: string): BuildProblem =>
    new BuildProblem({
      code: 'MissingPackage',
      message: `no package of the recipe brings ${path} (${arch.arch})`,
      hint: 'Debian has moved it: adapt vm-images/recipe.ts.',
    })

  const findLibrary = async (name: string): Promise<string> => {
    for (const candidate of libraryFolders.map((library) => join(library, name)))
      if ((await lstat(join(packages, candidate)).catch(() => undefined)) !== undefined) return candidate
    throw missing(name)
  }

  const stage: Stage = {
    folder,
    async take(path) {
      const real = await resolveIn(path)
      await stage.add(join(packages, real), path)
      programs.add(path)
    },
    async takeLibraries() {
      const queue = [...programs]
      programs.clear()
      for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
        const facts = await readElf(join(folder, path))
        if (facts === undefined) continue
        if (facts.machine !== arch.elfMachine)
          throw new BuildProblem({
            code: 'BadInput',
            message: `${path} is for another architecture than ${arch.arch}`,
            hint: 'Report this: the recipe mixes architectures.',
          })
        const wanted = facts.interpreter === undefined ? facts.needed : [...facts.needed, arch.loader.name]
        for (const name of wanted) {
          if (taken.has(name)) continue
          taken.add(name)
          const library = name === arch.loader.name ? arch.loader.path : await findLibrary(name)
          const real = name === arch.loader.name ? await resolveIn(await findLibrary(name)) : await resolveIn(library)
          await stage.add(join(packages, real), library, 0o755)
          queue.push(library)
        }
      }
    },
    async add(from, path, mode) {
      const target = await place(path)
      // A hard link costs nothing; across file systems, or when the mode differs, it is a copy.
      const sameMode = mode === undefined || ((await stat(from)).mode & 0o777) === mode
      if (
        !sameMode ||
        !(await link(from, target).then(
          () => true,
          () => false,
        ))
      ) {
        // prettier-ignore
        await copyFile(from, target)
        if (mode !== undefined) await chmod(target, mode)
      }
      programs.add(path)
    },
    async write(path, content, mode = 0o644) {
      const target = await place(path)
      await writeFile(target, content)
      await chmod(target, mode)
    },
    async linkTo(path, to) {
      await symlink(to, await place(path))
    },
    async makeFolder(path) {
      await mkdir(join(folder, path), { recursive: true })
    },
  }
  return stage
}

/** All files below a folder, relative paths, sorted. */
export async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort()
}
