package research

// What the tests of this package look at.
var CaseOf = caseOf
