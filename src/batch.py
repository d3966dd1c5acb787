from thermal_landmarks.commands.batch import main

if __name__ == "__main__":
    main()
