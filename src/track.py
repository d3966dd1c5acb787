from thermal_landmarks.commands.track import main

if __name__ == "__main__":
    main()
