// npm pack, or publish, of a folder that is no package of its own.
console.error(
  'lookahead: this folder is no package: "npm pack -w sdk" makes the client, "npm run pack:cli" the command',
)
process.exit(1)
