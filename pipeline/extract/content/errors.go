package content

import "docbatch/pipeline"

// Damaged is the error of a document that is not what it claims to be; the words say what is wrong with it.
func Damaged(format string, args ...any) error {
	return pipeline.Errorf(pipeline.Invalid, pipeline.KindDamaged, format, args...)
}

// Encrypted is the error of a document that none of the passwords opens.
func Encrypted(format string, args ...any) error {
	return pipeline.Errorf(pipeline.Invalid, pipeline.KindEncrypted, format, args...)
}

// TooLarge is the error of a document over a bound. The words name the bound and what it is: "more than 20,000 parts (the bound on parts)".
func TooLarge(format string, args ...any) error {
	return pipeline.Errorf(pipeline.Invalid, pipeline.KindTooLarge, format, args...)
}

// Unsupported is the error of a document that no reader can read.
func Unsupported(format string, args ...any) error {
	return pipeline.Errorf(pipeline.Invalid, pipeline.KindUnsupported, format, args...)
}

// NoText is the error of a document in which there is nothing to ask about.
func NoText(format string, args ...any) error {
	return pipeline.Errorf(pipeline.Invalid, pipeline.KindNoText, format, args...)
}

// TimedOut is the error of a document that took longer than its bound.
func TimedOut(format string, args ...any) error {
	return pipeline.Errorf(pipeline.Invalid, pipeline.KindSlow, format, args...)
}
