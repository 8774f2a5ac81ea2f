package app

type settings struct{}
