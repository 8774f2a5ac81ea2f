package app

// takeOuts counts how often somebody took their data out.
const takeOuts = "takeout"
