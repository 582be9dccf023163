#!/usr/bin/env node
// A preprocessor of mdBook. The pages of docs/ also name files beside that folder, as
// `](../README.md)`, which GitHub follows and a book cannot: it has no such pages. In the book
// they lead to the repository, `git-repository-url` of `[output.html]`; where that is not said,
// to nowhere: the link's text stays.
//   MDBOOK_OUTPUT__HTML__GIT_REPOSITORY_URL=https://github.com/OWNER/slo-hub mdbook build docs
import { posix } from "node:path"
import { text } from "node:stream/consumers"

// Every renderer may have these pages.
if (process.argv[2] === "supports") process.exit(0)

/** A link and its text; a picture is one with `!` before it. */
const LINK = /(!?)\[((?:[^[\]`]|`[^`]*`)*)\]\(([^)\s]+)\)/g

/** The page with its links out of the book leading to `repository`, line for line. */
function linked(page, path, repository) {
  let isCode = false
  const lines = page.split("\n").map((line) => {
    if (line.trimStart().startsWith("```")) isCode = !isCode
    return isCode ? line : line.replace(LINK, (whole, picture, label, target) => {
      const [file, anchor] = target.split("#")
      const place = posix.normalize(posix.join("docs", posix.dirname(path), file))
      if (target.includes("://") || file === "" || place.startsWith("docs/")) return whole
      if (repository === undefined) return label
      const kind = picture === "!" ? "raw" : "blob"
      return `${picture}[${label}](${repository}/${kind}/HEAD/${place}${anchor ? `#${anchor}` : ""})`
    })
  })
  return lines.join("\n")
}

/** All chapters, wherever this version of mdBook has them. */
function* chapters(value) {
  if (value === null || typeof value !== "object") return
  if (value.Chapter) yield value.Chapter
  for (const inner of Object.values(value)) yield* chapters(inner)
}

const [context, book] = JSON.parse(await text(process.stdin))
const repository = context.config?.output?.html?.["git-repository-url"]?.replace(/\/$/, "")
for (const chapter of chapters(book)) {
  if (chapter.path) chapter.content = linked(chapter.content, chapter.path, repository)
}
process.stdout.write(JSON.stringify(book))
